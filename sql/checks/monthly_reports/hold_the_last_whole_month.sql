-- The report of the last whole month is kept.
-- warning
select last_whole.month
from (select max(invoice_month) as month from monthly_metrics where not is_partial) as last_whole
where
    last_whole.month not in (select month from monthly_reports)
    and exists (select 1 from rfm_history where snapshot_date > last_whole.month)
