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

compared as (
    select
        months.*,
        case
            when lag(invoice_month) over (order by invoice_month) = invoice_month - interval '1 month'
                then lag(sales) over (order by invoice_month)
        end as sales_before,
        lead(invoice_month) over (order by invoice_month) is null as is_last
    from months
),

-- What is still to come of the month in which the data ends is told from the shop's own rhythm: by weekday, and at
-- Christmas. Public holidays are no rhythm, so one day may be missing.
days as (
    select distinct date_trunc('day', last_invoice_at) as day
    from invoice_totals
),

rest as (
    select
        max(day) as last_day,
        cast(extract(day from date_trunc('month', max(day)) + interval '1 month' - max(day)) as integer) - 1
        - case
            when extract(month from max(day)) = 12
                and max(case when extract(month from day) = 12 then extract(day from day) end) < 25 then 7
            else 0
        end as days_left
    from days
),

weekdays as (
    select
        7 - mod(cast(extract(day from last_day - day) as integer), 7) as days_ahead,
        count(*) as days_with_invoices,
        max(days_left) as days_left
    from days
    cross join rest
    group by 7 - mod(cast(extract(day from last_day - day) as integer), 7)
),

usual_days_left as (
    select sum(case when 2 * days_with_invoices >= busiest - 1 then floor((days_left + 7 - days_ahead) / 7.0) end) as days
    from (select weekdays.*, max(days_with_invoices) over () as busiest from weekdays) as compared_weekdays
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
    is_last and usual_days_left.days > 1 as is_partial
from compared
cross join usual_days_left
