-- What one customer bought most of.
select
    stock_codes.code, coalesce(products.description, max(lines.description)) as description, sum(lines.quantity) as units, sum(lines.line_total) as sales,
    count(distinct lines.invoice_no) as orders
from clean_invoices as lines
inner join stock_codes using (stock_code)
left join products using (code)
where lines.customer_id = :customer_id and lines.is_sale
group by stock_codes.code, products.description
order by sales desc, stock_codes.code
limit 12
