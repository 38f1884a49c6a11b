-- The customers and the revenue of all segments are those of all sales, to the customer and to the penny.
-- blocking
with sales as (
    select customer_id, sum(line_total) as revenue
    from clean_invoices
    where is_sale
    group by customer_id
)

select *
from (
    select
        (select sum(customers) from segment_summary) as customers_in_segments,
        (select count(*) from sales) as customers_with_sales,
        (select sum(revenue) from segment_summary) as revenue_of_segments,
        (select coalesce(sum(revenue), 0) from sales) as revenue_of_sales
) as totals
where
    customers_in_segments is distinct from customers_with_sales
    or revenue_of_segments is distinct from revenue_of_sales
