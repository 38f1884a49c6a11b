with terms as (
    select
        cast(as_of as timestamp) as as_of,
        date_trunc('week', cast(observed_until as timestamp)) as last_week
    from prediction_terms
    where unavailable_because is null
),

country_days as (
    select country, date_trunc('day', invoice_date) as day, sum(line_total) as net_sales
    from clean_invoices
    inner join terms on invoice_date < as_of
    where not is_second_copy
    group by country, date_trunc('day', invoice_date)
),

countries as (
    select country, row_number() over (order by sum(net_sales) desc, country) as place
    from country_days
    group by country
),

-- The days on which products are, or would have been, forecast for 4 and 13 weeks: today and those of the last year.
origins as (
    select origin
    from terms
    cross join lateral generate_series(last_week - interval '364 days', last_week, interval '28 days') as days (origin)
    union
    select origin
    from terms
    cross join lateral generate_series(last_week - interval '364 days', last_week, interval '91 days') as days (origin)
),

product_weeks as (
    select code, date_trunc('week', invoice_date) as week, sum(quantity) as units
    from clean_invoices
    inner join terms on invoice_date >= last_week - interval '728 days' and invoice_date < last_week
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where is_sold and not is_second_copy and is_product
    group by code, date_trunc('week', invoice_date)
),

product_years as (
    select origin, code, sum(units) as units
    from product_weeks
    inner join origins on week >= origin - interval '364 days' and week < origin
    group by origin, code
),

best_sellers as (
    select distinct code
    from (
        select code, row_number() over (partition by origin order by units desc, code) as place
        from product_years
    ) as ranked
    where place <= 50
)

select 'total' as kind, 'All sales' as series, cast(day as date) as day, sum(net_sales) as amount
from country_days
group by day
union all
select
    'country' as kind,
    case when place <= 8 then country_days.country else 'Other countries' end as series,
    cast(day as date) as day,
    sum(net_sales) as amount
from country_days
inner join countries on country_days.country = countries.country
group by case when place <= 8 then country_days.country else 'Other countries' end, day
union all
select
    'product' as kind,
    best_sellers.code as series,
    cast(invoice_date as date) as day,
    cast(sum(quantity) as numeric) as amount
from clean_invoices
inner join terms on invoice_date < as_of
inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
inner join best_sellers on stock_codes.code = best_sellers.code
where is_sold and not is_second_copy and is_product
group by best_sellers.code, cast(invoice_date as date)
