with months as (
    select
        stock_codes.code,
        clean_invoices.invoice_month,
        count(*) as lines,
        sum(line_total) as net_sales,
        sum(case when is_second_copy then 0 else line_total end) as net_sales_once,
        sum(case when is_sold then quantity else 0 end) as units_sold,
        sum(case when is_sold then line_total else 0 end) as sales,
        sum(case when is_sold and not is_second_copy then quantity else 0 end) as units_sold_once,
        sum(case when is_sold and not is_second_copy then line_total else 0 end) as sales_once,
        count(case when is_cancellation and quantity < 0 then 1 end) as return_lines,
        sum(case when is_cancellation and quantity < 0 then -quantity else 0 end) as units_returned,
        sum(case when is_cancellation and quantity < 0 then -line_total else 0 end) as returned
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product
    group by stock_codes.code, clean_invoices.invoice_month
)

select months.*, monthly_metrics.is_partial
from months
inner join monthly_metrics on months.invoice_month = monthly_metrics.invoice_month
