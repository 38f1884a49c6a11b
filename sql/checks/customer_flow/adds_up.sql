-- Whoever is new, retained, reactivated or lapsed in a month is so by the months of each customer's sales; their number and
-- their sales, as they are and with doubled invoices counted once, are those of the invoices, to the penny.
-- blocking
with active as (
    select
        customer_id,
        invoice_month,
        cast(invoice_month + interval '1 month' as date) as month_after,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once
    from invoice_totals
    where sale_lines > 0
    group by customer_id, invoice_month
),

firsts as (
    select customer_id, min(invoice_month) as first_month
    from active
    group by customer_id
),

moved as (
    select
        active.invoice_month,
        case
            when active.invoice_month = first_month then 'new'
            when earlier.customer_id is not null then 'retained'
            else 'reactivated'
        end as flow,
        active.sales,
        active.sales_once
    from active
    inner join firsts on active.customer_id = firsts.customer_id
    left join active as earlier
        on active.customer_id = earlier.customer_id and active.invoice_month = earlier.month_after
    union all
    select active.month_after, 'lapsed', active.sales, active.sales_once
    from active
    left join active as later on active.customer_id = later.customer_id and active.month_after = later.invoice_month
    where later.customer_id is null and active.month_after <= (select max(invoice_month) from invoice_totals)
),

invoiced as (
    select invoice_month, flow, count(*) as customers, sum(sales) as sales, sum(sales_once) as sales_once
    from moved
    group by invoice_month, flow
),

told as (
    select
        invoice_month, 'new' as flow, new_customers as customers, new_sales as sales, new_sales_once as sales_once
    from customer_flow
    union all
    select invoice_month, 'retained', retained_customers, retained_sales, retained_sales_once from customer_flow
    union all
    select invoice_month, 'reactivated', reactivated_customers, reactivated_sales, reactivated_sales_once
    from customer_flow
    union all
    select invoice_month, 'lapsed', lapsed_customers, lapsed_sales, lapsed_sales_once from customer_flow
)

select
    coalesce(told.invoice_month, invoiced.invoice_month) as invoice_month,
    coalesce(told.flow, invoiced.flow) as flow,
    told.customers,
    invoiced.customers as customers_of_invoices,
    told.sales,
    invoiced.sales as sales_of_invoices,
    told.sales_once,
    invoiced.sales_once as sales_of_invoices_once
from told
full join invoiced on told.invoice_month = invoiced.invoice_month and told.flow = invoiced.flow
where
    told.flow is null
    or told.customers <> coalesce(invoiced.customers, 0)
    or told.sales <> coalesce(invoiced.sales, 0)
    or told.sales_once <> coalesce(invoiced.sales_once, 0)
