-- The customers and the revenue of all segments are those of all sales, to the customer and to the penny.
select *
from (
    select
        (select sum(customers) from segment_summary) as customers_in_segments,
        (select count(distinct customer_id) from clean_invoices where is_sale) as customers_with_sales,
        (select sum(revenue) from segment_summary) as revenue_of_segments,
        (select coalesce(sum(line_total), 0) from clean_invoices where is_sale) as revenue_of_sales
) as totals
where
    customers_in_segments is distinct from customers_with_sales
    or revenue_of_segments is distinct from revenue_of_sales
