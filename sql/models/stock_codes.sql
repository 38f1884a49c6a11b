with written as (
    select stock_code, description, count(case when is_sold then 1 end) as sale_lines, count(*) as lines
    from clean_invoices
    group by stock_code, description
),

-- ASCII letters alone are raised, so that every engine raises the same ones.
codes as (
    select
        stock_code,
        translate(
            trim(both ' ' from stock_code), 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
        ) as code
    from (select distinct stock_code from written) as once
),

wordings as (
    select
        codes.code,
        trim(both ' ' from written.description) as description,
        sum(written.sale_lines) as sale_lines,
        sum(written.lines) as lines
    from written
    inner join codes on written.stock_code = codes.stock_code
    where written.description is not null
    group by codes.code, trim(both ' ' from written.description)
),

descriptions as (
    select
        code,
        description,
        row_number() over (
            partition by code order by sale_lines desc, case when sale_lines = 0 then -lines else 0 end, description
        ) as place
    from wordings
)

select
    codes.stock_code,
    codes.code,
    length(codes.code) >= 5
    and translate(substring(codes.code, 1, 5), '0123456789', '') = ''
    and translate(substring(codes.code, 6), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') = '' as is_product,
    descriptions.description
from codes
left join descriptions on codes.code = descriptions.code and place = 1
