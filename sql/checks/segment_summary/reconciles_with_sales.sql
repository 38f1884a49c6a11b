-- The customers and the revenue of all segments are those of all sales, to the customer and to the penny, and the net
-- revenue is that of the same customers.
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
        (select coalesce(sum(revenue), 0) from sales) as revenue_of_sales,
        (select sum(net_revenue) from segment_summary) as net_revenue_of_segments,
        (select coalesce(sum(net_revenue), 0) from segments) as net_revenue_of_customers
) as totals
where
    customers_in_segments is distinct from customers_with_sales
    or revenue_of_segments is distinct from revenue_of_sales
    or net_revenue_of_segments is distinct from net_revenue_of_customers
