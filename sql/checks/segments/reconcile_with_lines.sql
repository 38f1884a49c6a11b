-- Each customer's net revenue is the sum of all lines of the customer, to the penny.
-- blocking
select segments.customer_id, segments.net_revenue, lines.net_revenue as net_revenue_of_lines
from segments
left join (
    select customer_id, sum(line_total) as net_revenue from clean_invoices group by customer_id
) as lines on segments.customer_id = lines.customer_id
where segments.net_revenue is distinct from lines.net_revenue
