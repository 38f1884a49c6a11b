-- Every series has a row for each month of monthly_metrics, and there are series.
-- error
select monthly_metrics.invoice_month, count(monthly_series.series) as series
from monthly_metrics
left join monthly_series on monthly_metrics.invoice_month = monthly_series.invoice_month
group by monthly_metrics.invoice_month
having
    count(monthly_series.series) = 0
    or count(monthly_series.series) <> (select count(distinct series) from monthly_series)
