-- Every customer with a sale, and nobody else, is scored, and each one's monetary value is the sum of their sales.
-- blocking
select
    coalesce(rfm_scores.customer_id, sales.customer_id) as customer_id,
    rfm_scores.monetary,
    sales.monetary as monetary_of_sales
from rfm_scores
full join (
    select customer_id, sum(line_total) as monetary from clean_invoices where is_sale group by customer_id
) as sales on rfm_scores.customer_id = sales.customer_id
where rfm_scores.monetary is distinct from sales.monetary
