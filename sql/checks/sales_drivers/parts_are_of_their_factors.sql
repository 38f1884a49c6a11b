-- Each part of the change of sales to customers is the logarithmic mean of both months' sales times the logarithm of its
-- factor's ratio: it has the sign of that factor's change, and agrees within 3 pence, as the price takes what is rounded.
-- error
with factors as (
    select
        invoice_month,
        comparison,
        customers_effect,
        orders_effect,
        items_effect,
        price_effect,
        ln(cast(customers as double precision) / customers_before) as customers_log,
        ln(cast(orders as double precision) / customers) - ln(cast(orders_before as double precision) / customers_before)
            as orders_log,
        ln(cast(items as double precision) / orders) - ln(cast(items_before as double precision) / orders_before)
            as items_log,
        ln(cast(sales as double precision) / items) - ln(cast(sales_before as double precision) / items_before)
            as price_log,
        cast(sales as double precision) as sales,
        cast(sales_before as double precision) as sales_before
    from sales_drivers
    where sales > 0 and sales_before > 0
),

means as (
    select
        factors.*,
        case
            when 1000000 * abs(sales - sales_before) < sales_before then (sales + sales_before) / 2
            else (sales - sales_before) / (ln(sales) - ln(sales_before))
        end as sales_mean
    from factors
)

select
    invoice_month,
    comparison,
    customers_effect,
    sales_mean * customers_log as by_customers,
    orders_effect,
    sales_mean * orders_log as by_orders,
    items_effect,
    sales_mean * items_log as by_items,
    price_effect,
    sales_mean * price_log as by_price
from means
where
    abs(customers_effect - sales_mean * customers_log) > 0.03
    or abs(orders_effect - sales_mean * orders_log) > 0.03
    or abs(items_effect - sales_mean * items_log) > 0.03
    or abs(price_effect - sales_mean * price_log) > 0.03
