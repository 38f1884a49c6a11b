-- The same of the customers whom the filters pick. An invoice of two customers is an order of each.
select
    invoice_month, months.placed_orders, months.doubled_orders, months.sales, months.sales_once, metrics.is_partial,
    metrics.last_invoice_at, months.active, months.new
from (
    select
        invoice_month, sum(placed) as placed_orders, sum(doubled) as doubled_orders, sum(amount) as sales,
        sum(amount_once) as sales_once, count(*) as active, sum(is_new) as new
    from (
        select
            invoice_month, customer_id, sum(case when is_cancellation then -1 else 1 end) as placed,
            sum(case when second_copy_lines > 0 then 1 else 0 end) as doubled, sum(amount) as amount,
            sum(amount - second_copy_amount) as amount_once,
            max(case when date_trunc('month', first_sale_at) = invoice_month then 1 else 0 end) as is_new
        from matched
        inner join invoice_totals using (customer_id)
        where invoice_month <= :as_of
        group by invoice_month, customer_id
    ) as customers
    group by invoice_month
) as months
inner join monthly_metrics as metrics using (invoice_month)
order by invoice_month
