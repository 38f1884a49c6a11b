-- Each invoice is exactly the sum of its lines in clean_invoices, for each day, customer and country: their number
-- and their money, to the penny, in all, of the sales and of the second copies, the units sold, and their dates.
-- blocking
select
    coalesce(totals.invoice_no, lines.invoice_no) as invoice_no,
    coalesce(totals.invoice_day, lines.invoice_day) as invoice_day,
    coalesce(totals.customer_id, lines.customer_id) as customer_id,
    coalesce(totals.country, lines.country) as country,
    totals.lines,
    lines.lines as lines_of_invoice,
    totals.amount,
    lines.amount as amount_of_lines,
    totals.sale_amount,
    lines.sale_amount as sale_amount_of_lines
from invoice_totals as totals
full join (
    select
        invoice_no,
        invoice_month,
        date_trunc('day', invoice_date) as invoice_day,
        customer_id,
        country,
        max(dump) as dump,
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
) as lines
    on totals.invoice_no = lines.invoice_no
    and totals.invoice_month = lines.invoice_month
    and totals.invoice_day = lines.invoice_day
    and coalesce(totals.customer_id, 0) = coalesce(lines.customer_id, 0)
    and totals.country = lines.country
where
    totals.dump is distinct from lines.dump
    or totals.is_cancellation is distinct from lines.is_cancellation
    or totals.lines is distinct from lines.lines
    or totals.amount is distinct from lines.amount
    or totals.last_invoice_at is distinct from lines.last_invoice_at
    or totals.sale_lines is distinct from lines.sale_lines
    or totals.sale_amount is distinct from lines.sale_amount
    or totals.first_sale_at is distinct from lines.first_sale_at
    or totals.last_sale_at is distinct from lines.last_sale_at
    or totals.sale_units_once is distinct from lines.sale_units_once
    or totals.second_copy_lines is distinct from lines.second_copy_lines
    or totals.second_copy_amount is distinct from lines.second_copy_amount
    or totals.second_copy_sale_amount is distinct from lines.second_copy_sale_amount
