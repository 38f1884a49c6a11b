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
)

select
    invoice_month,
    total_orders,
    canceled_orders,
    total_orders - 2 * canceled_orders as placed_orders,
    doubled_orders,
    sales,
    sales_once,
    round(100 * (sales - sales_before) / nullif(sales_before, 0), 6) as sales_growth_pct,
    last_invoice_at,
    is_last and last_invoice_at < invoice_month + interval '1 month' - interval '1 day' as is_partial
from compared
