-- Between the first month and the last, every month has invoices. A gap means that a dump is missing.
-- error
select invoice_month as month_before_the_gap, next_month as month_after_the_gap
from (
    select invoice_month, lead(invoice_month) over (order by invoice_month) as next_month
    from monthly_metrics
) as months
where next_month > invoice_month + interval '1 month'
