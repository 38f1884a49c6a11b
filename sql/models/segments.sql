-- A customer whose cell is not on the map keeps a NULL segment, which the contract refuses: nobody is lost in silence.
with net as (
    select rfm_scores.customer_id, sum(line_total) as net_revenue
    from rfm_scores
    inner join clean_invoices
        on rfm_scores.customer_id = clean_invoices.customer_id and invoice_date < snapshot_date
    group by rfm_scores.customer_id
)

select
    rfm_scores.customer_id,
    segment_playbook.segment,
    rfm_scores.recency_days,
    rfm_scores.frequency,
    rfm_scores.monetary,
    net.net_revenue,
    round(100 * net.net_revenue / rfm_scores.monetary, 6) as kept_pct,
    rfm_scores.rfm_score,
    segment_playbook.behaviour,
    segment_playbook.strategy
from rfm_scores
inner join net on rfm_scores.customer_id = net.customer_id
left join segment_playbook
    on rfm_scores.r_score between segment_playbook.r_min and segment_playbook.r_max
    and rfm_scores.f_score between segment_playbook.f_min and segment_playbook.f_max
