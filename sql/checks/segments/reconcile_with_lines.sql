-- Each customer's net revenue, plus the lines after the snapshot, is the sum of the customer's invoices, to the penny.
-- blocking
with invoiced as (
    select customer_id, sum(amount) as amount
    from invoice_totals
    group by customer_id
),

later as (
    select clean_invoices.customer_id, sum(line_total) as amount
    from rfm_scores
    inner join clean_invoices
        on rfm_scores.customer_id = clean_invoices.customer_id and invoice_date >= snapshot_date
    group by clean_invoices.customer_id
)

select
    segments.customer_id,
    segments.net_revenue,
    invoiced.amount as amount_of_invoices,
    later.amount as amount_after_the_snapshot
from segments
left join invoiced on segments.customer_id = invoiced.customer_id
left join later on segments.customer_id = later.customer_id
where segments.net_revenue + coalesce(later.amount, 0) is distinct from invoiced.amount
