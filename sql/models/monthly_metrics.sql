with months as (
    select
        invoice_month,
        count(distinct invoice_no) as total_orders,
        count(distinct case when is_cancellation then invoice_no end) as canceled_orders,
        count(distinct case when second_copy_lines > 0 then invoice_no end) as doubled_orders,
        sum(amount) as sales,
        sum(amount - second_copy_amount) as sales_once,
        max(last_invoice_at) as last_invoice_at
    from invoice_totals
    group by invoice_month
),

-- What is missing of the months in which the data begins and ends is told from the shop's own rhythm: by weekday, at
-- Christmas and at New Year. Public holidays are no rhythm, so one day may be missing. Less than two weeks know no rhythm.
days as (
    select distinct date_trunc('day', last_invoice_at) as day
    from invoice_totals
),

span as (
    select
        min(day) as first_day,
        max(day) as last_day,
        min(case when extract(month from day) = 1 then extract(day from day) end) as january_from,
        max(case when extract(month from day) = 12 then extract(day from day) end) as december_to
    from days
),

edges as (
    select
        'first' as edge,
        first_day as day,
        extract(day from last_day - first_day) < 13 as is_short,
        cast(extract(day from first_day) as integer) - 1
        - case when extract(month from first_day) = 1 and january_from > 2 then 2 else 0 end as days_missing
    from span
    union all
    select
        'last' as edge,
        last_day as day,
        extract(day from last_day - first_day) < 13 as is_short,
        cast(extract(day from date_trunc('month', last_day) + interval '1 month' - last_day) as integer) - 1
        - case when extract(month from last_day) = 12 and december_to < 25 then 7 else 0 end as days_missing
    from span
),

-- By how many days they are beyond the edge, from 1 to 7.
weekdays as (
    select
        edge,
        edges.day,
        is_short,
        days_missing,
        7 - mod(cast(abs(extract(day from edges.day - days.day)) as integer), 7) as days_beyond,
        count(*) as days_with_invoices
    from edges
    cross join days
    group by
        edge, edges.day, is_short, days_missing, 7 - mod(cast(abs(extract(day from edges.day - days.day)) as integer), 7)
),

partial_months as (
    select distinct cast(date_trunc('month', day) as date) as invoice_month
    from (select weekdays.*, max(days_with_invoices) over (partition by edge) as busiest from weekdays) as usual
    where is_short or 2 * days_with_invoices >= busiest - 1
    group by edge, day, is_short
    having is_short or sum(floor((days_missing + 7 - days_beyond) / 7.0)) > 1
),

compared as (
    select
        months.*,
        case
            when
                lag(months.invoice_month) over earlier = months.invoice_month - interval '1 month'
                and lag(partial_months.invoice_month) over earlier is null
                then lag(sales) over earlier
        end as sales_before,
        partial_months.invoice_month is not null as is_partial
    from months
    left join partial_months on months.invoice_month = partial_months.invoice_month
    window earlier as (order by months.invoice_month)
)

select
    invoice_month,
    total_orders,
    canceled_orders,
    total_orders - 2 * canceled_orders as placed_orders,
    doubled_orders,
    sales,
    sales_once,
    case when sales_before > 0 then round(100 * (sales - sales_before) / sales_before, 6) end as sales_growth_pct,
    last_invoice_at,
    is_partial
from compared
