-- New, retained and reactivated customers are all those with a sale in the month, with all its sales, to the penny; and
-- the active customers are those of the month before, less the lapsed, plus the new and the reactivated.
-- blocking
with invoiced as (
    select
        invoice_month,
        count(distinct customer_id) as customers,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once
    from invoice_totals
    where sale_lines > 0
    group by invoice_month
),

flows as (
    select
        customer_flow.*,
        new_customers + retained_customers + reactivated_customers as came,
        new_sales + retained_sales + reactivated_sales as sales_of_these,
        new_sales_once + retained_sales_once + reactivated_sales_once as sales_of_these_once,
        coalesce(lag(active_customers) over (order by invoice_month), 0) as active_before,
        coalesce(lag(sales) over (order by invoice_month), 0) as sales_before
    from customer_flow
)

select
    coalesce(flows.invoice_month, invoiced.invoice_month) as invoice_month,
    came,
    invoiced.customers as customers_of_invoices,
    sales_of_these,
    invoiced.sales as sales_of_invoices,
    sales_of_these_once,
    invoiced.sales_once as sales_of_invoices_once,
    active_before,
    retained_customers,
    lapsed_customers
from flows
full join invoiced on flows.invoice_month = invoiced.invoice_month
where
    came is null
    or came <> coalesce(invoiced.customers, 0)
    or sales_of_these <> coalesce(invoiced.sales, 0)
    or sales_of_these_once <> coalesce(invoiced.sales_once, 0)
    or active_before <> retained_customers + lapsed_customers
    or lapsed_sales > sales_before
