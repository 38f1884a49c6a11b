with amounts as (
    select invoice_month, customer_id, sum(amount - second_copy_amount) as net_sales
    from invoice_totals
    group by invoice_month, customer_id
),

first_months as (
    select customer_id, min(invoice_month) as first_month
    from amounts
    where customer_id is not null
    group by customer_id
),

sides as (
    select
        sales_drivers.invoice_month,
        comparison,
        compared_month,
        is_partial,
        amounts.customer_id,
        1 as is_active,
        0 as was_active,
        amounts.net_sales,
        0 as net_sales_before
    from sales_drivers
    inner join amounts on sales_drivers.invoice_month = amounts.invoice_month
    union all
    select
        sales_drivers.invoice_month,
        comparison,
        compared_month,
        is_partial,
        amounts.customer_id,
        0 as is_active,
        1 as was_active,
        0 as net_sales,
        amounts.net_sales as net_sales_before
    from sales_drivers
    inner join amounts on compared_month = amounts.invoice_month
),

customers as (
    select
        invoice_month,
        comparison,
        compared_month,
        is_partial,
        customer_id,
        max(is_active) as is_active,
        max(was_active) as was_active,
        sum(net_sales) as net_sales,
        sum(net_sales_before) as net_sales_before
    from sides
    group by invoice_month, comparison, compared_month, is_partial, customer_id
),

moved as (
    select
        customers.*,
        case
            when customers.customer_id is null then 'guests'
            when is_active = 0 then 'lost'
            when was_active = 0 and first_month > compared_month then 'new'
            when was_active = 0 then 'back'
            when net_sales > net_sales_before then 'grown'
            when net_sales < net_sales_before then 'shrunk'
            else 'level'
        end as movement
    from customers
    left join first_months on customers.customer_id = first_months.customer_id
)

select
    invoice_month,
    comparison,
    movement,
    compared_month,
    is_partial,
    count(customer_id) as customers,
    sum(net_sales) as net_sales,
    sum(net_sales_before) as net_sales_before,
    sum(net_sales) - sum(net_sales_before) as change
from moved
group by invoice_month, comparison, movement, compared_month, is_partial
