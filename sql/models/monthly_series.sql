with months as (
    select
        monthly_metrics.invoice_month,
        monthly_metrics.is_partial,
        monthly_metrics.sales,
        monthly_metrics.sales_once,
        monthly_metrics.placed_orders,
        coalesce(user_activity.active_users, 0) as active_users,
        coalesce(user_activity.new_users, 0) as new_users,
        coalesce(user_activity.existing_users, 0) as existing_users,
        totals.sale_amount_once,
        totals.buyers
    from monthly_metrics
    left join user_activity on monthly_metrics.invoice_month = user_activity.invoice_month
    inner join (
        select
            invoice_month,
            sum(sale_amount - second_copy_sale_amount) as sale_amount_once,
            count(distinct case when sale_lines > 0 then customer_id end) as buyers
        from invoice_totals
        group by invoice_month
    ) as totals on monthly_metrics.invoice_month = totals.invoice_month
)

select 'sales' as series, invoice_month, is_partial, sales as value from months
union all
select 'sales, doubled invoices once' as series, invoice_month, is_partial, sales_once as value from months
union all
select 'placed orders' as series, invoice_month, is_partial, placed_orders as value from months
union all
select 'active customers' as series, invoice_month, is_partial, active_users as value from months
union all
select 'new customers' as series, invoice_month, is_partial, new_users as value from months
union all
select 'existing customers' as series, invoice_month, is_partial, existing_users as value from months
union all
select
    'sales per buying customer' as series,
    invoice_month,
    is_partial,
    round(sale_amount_once / nullif(buyers, 0), 6) as value
from months
