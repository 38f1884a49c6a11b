-- Dumps that hold the same invoice hold the same lines of it. Where they disagree, the newest one's lines count.
-- warning
with shared_invoices as (
    select invoice_no
    from raw_invoices
    group by invoice_no
    having min(dump) < max(dump)
),

invoice_lines as (
    select
        raw_invoices.dump,
        raw_invoices.invoice_no,
        stock_code,
        description,
        quantity,
        invoice_date,
        unit_price,
        customer_id,
        country,
        count(*) as times
    from raw_invoices
    inner join shared_invoices on raw_invoices.invoice_no = shared_invoices.invoice_no
    group by
        raw_invoices.dump, raw_invoices.invoice_no, stock_code, description, quantity, invoice_date, unit_price,
        customer_id, country
),

lines_by_dumps as (
    select
        invoice_no,
        stock_code,
        description,
        quantity,
        invoice_date,
        unit_price,
        customer_id,
        country,
        times,
        count(*) as dumps
    from invoice_lines
    group by
        invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id, country, times
),

dumps_of_invoices as (
    select invoice_no, count(distinct dump) as dumps
    from invoice_lines
    group by invoice_no
),

disputed_invoices as (
    select distinct lines_by_dumps.invoice_no
    from lines_by_dumps
    inner join dumps_of_invoices on lines_by_dumps.invoice_no = dumps_of_invoices.invoice_no
    where lines_by_dumps.dumps < dumps_of_invoices.dumps
)

select
    invoice_lines.invoice_no,
    invoice_lines.dump,
    sum(times) as lines,
    sum(times * quantity * unit_price) as amount,
    coalesce(max(case when invoice_lines.dump = counting.dump then 1 end), 0) = 1 as counts
from invoice_lines
inner join disputed_invoices on invoice_lines.invoice_no = disputed_invoices.invoice_no
left join (select distinct invoice_no, dump from clean_invoices) as counting
    on invoice_lines.invoice_no = counting.invoice_no
group by invoice_lines.invoice_no, invoice_lines.dump
order by invoice_no, dump
