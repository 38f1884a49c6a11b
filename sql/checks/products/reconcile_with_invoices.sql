-- Products, and the lines that are charges, add up to all invoices, to the line and to the penny; and what products sold
-- and what came back is what their lines say, to the unit and to the penny.
-- error
with written as (
    select
        stock_codes.is_product,
        line_total,
        case when is_sold then quantity else 0 end as units_sold,
        case when is_sold then line_total else 0 end as sales,
        case when is_cancellation and quantity < 0 then -quantity else 0 end as units_returned,
        case when is_cancellation and quantity < 0 then -line_total else 0 end as returned
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
),

told as (
    select
        coalesce(sum(lines), 0) as lines,
        coalesce(sum(net_sales), 0) as net_sales,
        coalesce(sum(units_sold), 0) as units_sold,
        coalesce(sum(sales), 0) as sales,
        coalesce(sum(units_returned), 0) as units_returned,
        coalesce(sum(returned), 0) as returned
    from products
),

charged as (
    select count(*) as lines, coalesce(sum(line_total), 0) as net_sales
    from written
    where not is_product
),

sold as (
    select
        coalesce(sum(units_sold), 0) as units_sold,
        coalesce(sum(sales), 0) as sales,
        coalesce(sum(units_returned), 0) as units_returned,
        coalesce(sum(returned), 0) as returned
    from written
    where is_product
),

invoiced as (
    select coalesce(sum(lines), 0) as lines, coalesce(sum(amount), 0) as amount
    from invoice_totals
)

select
    told.lines + charged.lines as lines,
    invoiced.lines as lines_of_invoices,
    told.net_sales + charged.net_sales as net_sales,
    invoiced.amount as amount_of_invoices,
    told.units_sold,
    sold.units_sold as units_of_lines,
    told.sales,
    sold.sales as sales_of_lines,
    told.units_returned,
    sold.units_returned as units_returned_of_lines,
    told.returned,
    sold.returned as returned_of_lines
from told
cross join charged
cross join sold
cross join invoiced
where
    told.lines + charged.lines <> invoiced.lines
    or told.net_sales + charged.net_sales <> invoiced.amount
    or told.units_sold <> sold.units_sold
    or told.sales <> sold.sales
    or told.units_returned <> sold.units_returned
    or told.returned <> sold.returned
