-- The snapshot date is at most a year after the month of the last invoice. One that is later is likely mistyped: correct
-- LGS_SNAPSHOT_DATE or --snapshot-date, and run again.
-- blocking
select snapshot_date, count(*) as customers, data_ends_at
from rfm_history
cross join (select max(last_invoice_at) as data_ends_at from invoice_totals) as data
where snapshot_date > date_trunc('month', data_ends_at) + interval '13 months'
group by snapshot_date, data_ends_at
