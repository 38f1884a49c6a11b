-- By stock code first: codes that differ in case alone, and are one product, are few beside the lines.
with written as (
    select
        stock_code,
        invoice_month,
        count(*) as lines,
        sum(line_total) as net_sales,
        sum(case when is_second_copy then line_total end) as net_sales_again,
        sum(case when is_sold then quantity end) as units_sold,
        sum(case when is_sold then line_total end) as sales,
        sum(case when is_sold and is_second_copy then quantity end) as units_sold_again,
        sum(case when is_sold and is_second_copy then line_total end) as sales_again,
        count(case when is_cancellation and quantity < 0 then 1 end) as return_lines,
        sum(case when is_cancellation and quantity < 0 then -quantity end) as units_returned,
        sum(case when is_cancellation and quantity < 0 then -line_total end) as returned
    from clean_invoices
    group by stock_code, invoice_month
),

months as (
    select
        stock_codes.code,
        written.invoice_month,
        cast(sum(lines) as bigint) as lines,
        sum(net_sales) as net_sales,
        sum(net_sales) - coalesce(sum(net_sales_again), 0) as net_sales_once,
        cast(coalesce(sum(units_sold), 0) as bigint) as units_sold,
        coalesce(sum(sales), 0) as sales,
        cast(coalesce(sum(units_sold), 0) - coalesce(sum(units_sold_again), 0) as bigint) as units_sold_once,
        coalesce(sum(sales), 0) - coalesce(sum(sales_again), 0) as sales_once,
        cast(sum(return_lines) as bigint) as return_lines,
        cast(coalesce(sum(units_returned), 0) as bigint) as units_returned,
        coalesce(sum(returned), 0) as returned
    from written
    inner join stock_codes on written.stock_code = stock_codes.stock_code
    where stock_codes.is_product
    group by stock_codes.code, written.invoice_month
)

select months.*, monthly_metrics.is_partial
from months
inner join monthly_metrics on months.invoice_month = monthly_metrics.invoice_month
