-- ASCII letters alone are raised, so that every engine raises the same ones.
with codes as (
    select
        stock_code,
        translate(
            trim(both ' ' from stock_code), 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
        ) as code
    from (select distinct stock_code from clean_invoices) as written
)

select
    stock_code,
    code,
    length(code) >= 5
    and translate(substring(code, 1, 5), '0123456789', '') = ''
    and translate(substring(code, 6), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '') = '' as is_product
from codes
