-- What one customer bought most of.
select code, coalesce(products.description, best.description) as description, best.units, best.sales, best.orders
from (
    select
        code, max(description) as description, sum(units) as units, sum(sales) as sales, count(*) as orders
    from (
        select
            stock_codes.code, lines.invoice_no, max(lines.description) as description, sum(lines.quantity) as units,
            sum(lines.line_total) as sales
        from clean_invoices as lines
        inner join stock_codes using (stock_code)
        where lines.customer_id = :customer_id and lines.is_sale
        group by stock_codes.code, lines.invoice_no
    ) as orders
    group by code
    order by sales desc, code
    limit 12
) as best
left join products using (code)
order by best.sales desc, code
