-- Every series has a row for each month of monthly_metrics.
-- error
select wanted.series, monthly_metrics.invoice_month
from (
    values
    ('sales'),
    ('sales, doubled invoices once'),
    ('placed orders'),
    ('active customers'),
    ('new customers'),
    ('existing customers'),
    ('sales per buying customer')
) as wanted (series)
cross join monthly_metrics
left join monthly_series
    on wanted.series = monthly_series.series and monthly_metrics.invoice_month = monthly_series.invoice_month
where monthly_series.series is null
