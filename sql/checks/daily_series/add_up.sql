-- The total of each day before the moment of predictions is that of its lines, each doubled invoice counted once, and the
-- countries add up to it.
-- error
with days as (
    select cast(invoice_date as date) as day, sum(line_total) as net_sales
    from clean_invoices
    inner join prediction_terms on invoice_date < cast(as_of as timestamp) and unavailable_because is null
    where not is_second_copy
    group by cast(invoice_date as date)
),

told as (
    select
        day,
        sum(case when kind = 'total' then amount end) as total,
        sum(case when kind = 'country' then amount end) as countries
    from daily_series
    where kind in ('total', 'country')
    group by day
)

select coalesce(told.day, days.day) as day, told.total, told.countries, days.net_sales
from told
full join days on told.day = days.day
where told.total is distinct from days.net_sales or told.countries is distinct from days.net_sales
