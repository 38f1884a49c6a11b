with terms as (
    select
        cast(as_of as timestamp) as as_of,
        -- The first and the last Monday of whole weeks.
        date_trunc('week', cast(observed_from as timestamp) + interval '6 days') as first_week,
        date_trunc('week', cast(observed_until as timestamp)) as last_week
    from prediction_terms
    where unavailable_because is null
),

lines as (
    select
        date_trunc('day', clean_invoices.invoice_date) as day,
        clean_invoices.country,
        clean_invoices.stock_code,
        sum(clean_invoices.line_total) as net_sales,
        sum(
            case
                when clean_invoices.quantity > 0 and clean_invoices.line_total > 0
                    and not clean_invoices.is_cancellation then clean_invoices.quantity
                else 0
            end
        ) as units
    from clean_invoices
    inner join terms on clean_invoices.invoice_date < terms.as_of
    where not clean_invoices.is_second_copy
    group by date_trunc('day', clean_invoices.invoice_date), clean_invoices.country, clean_invoices.stock_code
),

countries as (
    select country, row_number() over (order by sum(net_sales) desc, country) as place
    from lines
    group by country
),

product_days as (
    select stock_codes.code, lines.day, sum(lines.units) as units
    from lines
    inner join stock_codes on lines.stock_code = stock_codes.stock_code
    where stock_codes.is_product and lines.units > 0
    group by stock_codes.code, lines.day
),

product_years as (
    select
        product_days.code,
        sum(case when day >= first_week and day < first_week + interval '364 days' then units else 0 end) as first_units,
        sum(case when day >= last_week - interval '364 days' and day < last_week then units else 0 end) as last_units
    from product_days
    cross join terms
    group by product_days.code
),

best_sellers as (
    select code
    from (
        select
            code,
            row_number() over (order by first_units desc, code) as first_place,
            row_number() over (order by last_units desc, code) as last_place
        from product_years
    ) as ranked
    where first_place <= 50 or last_place <= 50
)

select 'total' as kind, 'All sales' as series, cast(day as date) as day, sum(net_sales) as amount
from lines
group by day
union all
select
    'country' as kind,
    case when place <= 8 then lines.country else 'Other countries' end as series,
    cast(day as date) as day,
    sum(net_sales) as amount
from lines
inner join countries on lines.country = countries.country
group by case when place <= 8 then lines.country else 'Other countries' end, day
union all
select 'product' as kind, product_days.code as series, cast(day as date) as day, cast(units as numeric) as amount
from product_days
inner join best_sellers on product_days.code = best_sellers.code
