select
    invoice_no,
    row_number() over (
        partition by invoice_no order by date_trunc('day', invoice_date), coalesce(customer_id, 0), country
    ) as part,
    max(dump) as dump,
    invoice_month,
    cast(date_trunc('day', invoice_date) as date) as invoice_day,
    customer_id,
    country,
    bool_or(is_cancellation) as is_cancellation,
    count(*) as lines,
    sum(line_total) as amount,
    max(invoice_date) as last_invoice_at,
    count(case when is_sale then 1 end) as sale_lines,
    sum(case when is_sale then line_total else 0 end) as sale_amount,
    min(case when is_sale then invoice_date end) as first_sale_at,
    max(case when is_sale then invoice_date end) as last_sale_at,
    sum(case when is_sale and not is_second_copy then quantity else 0 end) as sale_units_once,
    count(case when is_second_copy then 1 end) as second_copy_lines,
    sum(case when is_second_copy then line_total else 0 end) as second_copy_amount,
    sum(case when is_second_copy and is_sale then line_total else 0 end) as second_copy_sale_amount
from clean_invoices
group by invoice_no, invoice_month, date_trunc('day', invoice_date), customer_id, country
