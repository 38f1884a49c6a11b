-- Each cohort has a row for every month from its first to the last of the data, with the same customers and base.
-- blocking
select cohort_month, count(*) as months, max(months_since) as last_month_since, max(invoice_month) as last_month
from cohort_retention
group by cohort_month
having
    count(*) <> max(months_since) + 1
    or max(invoice_month) <> (select max(invoice_month) from monthly_metrics)
    or min(customers) <> max(customers)
    or min(base_sales) <> max(base_sales)
