-- Each invoice comes to exactly its lines in clean_invoices and their money, all of them and the sales, to the penny.
select
    coalesce(totals.invoice_no, lines.invoice_no) as invoice_no,
    totals.lines,
    lines.lines as lines_of_invoice,
    totals.amount,
    lines.amount as amount_of_lines,
    totals.sale_amount,
    lines.sale_amount as sale_amount_of_lines
from (
    select
        invoice_no, max(dump) as dump, sum(lines) as lines, sum(amount) as amount,
        sum(sale_lines) as sale_lines, sum(sale_amount) as sale_amount
    from invoice_totals
    group by invoice_no
) as totals
full join (
    select
        invoice_no, max(dump) as dump, count(*) as lines, sum(line_total) as amount,
        count(case when is_sale then 1 end) as sale_lines, sum(case when is_sale then line_total else 0 end) as sale_amount
    from clean_invoices
    group by invoice_no
) as lines on totals.invoice_no = lines.invoice_no
where
    totals.dump is distinct from lines.dump
    or totals.lines is distinct from lines.lines
    or totals.amount is distinct from lines.amount
    or totals.sale_lines is distinct from lines.sale_lines
    or totals.sale_amount is distinct from lines.sale_amount
