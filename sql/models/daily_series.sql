with terms as (
    select
        cast(as_of as timestamp) as as_of,
        -- The first and the last Monday of whole weeks.
        date_trunc('week', cast(observed_from as timestamp) + interval '6 days') as first_week,
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

stock_code_years as (
    select
        stock_code,
        sum(
            case when invoice_date >= first_week and invoice_date < first_week + interval '364 days' then quantity else 0 end
        ) as first_units,
        sum(
            case when invoice_date >= last_week - interval '364 days' and invoice_date < last_week then quantity else 0 end
        ) as last_units
    from clean_invoices
    inner join terms on invoice_date < as_of
    where is_sold and not is_second_copy
    group by stock_code
),

product_years as (
    select code, sum(first_units) as first_units, sum(last_units) as last_units
    from stock_code_years
    inner join stock_codes on stock_code_years.stock_code = stock_codes.stock_code
    where is_product
    group by code
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
