-- Once there are unit costs, each dimension comes to what lines of products sold in the month, doubled invoices once.
-- error
with dimensions as (
    select 'product' as dimension union all select 'country' union all select 'segment' union all select 'customer'
),

sold as (
    select dimension, invoice_month, sum(quantity) as units, sum(line_total) as sales
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    cross join dimensions
    where
        is_product
        and is_sold
        and not is_second_copy
        and exists (select 1 from unit_costs)
    group by dimension, invoice_month
),

found as (
    select dimension, invoice_month, sum(units) as units, sum(sales) as sales
    from margins
    group by dimension, invoice_month
)

select
    coalesce(sold.dimension, found.dimension) as dimension,
    coalesce(sold.invoice_month, found.invoice_month) as invoice_month,
    sold.units,
    found.units as units_found,
    sold.sales,
    found.sales as sales_found
from sold
full join found on sold.dimension = found.dimension and sold.invoice_month = found.invoice_month
where sold.units is distinct from found.units or sold.sales is distinct from found.sales
