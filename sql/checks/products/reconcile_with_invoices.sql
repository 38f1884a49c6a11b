-- Products, and the lines that are charges, add up to all invoices, to the line and to the penny.
-- error
with parts as (
    select lines, net_sales from products
    union all
    select 1 as lines, clean_invoices.line_total as net_sales
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where not stock_codes.is_product
)

select *
from (
    select
        (select coalesce(sum(lines), 0) from parts) as lines,
        (select coalesce(sum(lines), 0) from invoice_totals) as lines_of_invoices,
        (select coalesce(sum(net_sales), 0) from parts) as net_sales,
        (select coalesce(sum(amount), 0) from invoice_totals) as amount_of_invoices
) as totals
where lines <> lines_of_invoices or net_sales <> amount_of_invoices
