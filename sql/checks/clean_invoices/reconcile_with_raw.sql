-- Each invoice has exactly the lines, customers and money in clean_invoices that its newest dump has in raw_invoices:
-- to the line and to the penny, after repeats or second copies if a setting drops them.
-- blocking
with raw_lines as (
    select dump, invoice_no, quantity * unit_price as line_total, customer_id, 1 as times
    from raw_invoices
    where not :drop_repeats and :doubled_invoices = 'twice'
    union all
    select
        dump,
        invoice_no,
        quantity * unit_price as line_total,
        customer_id,
        case
            when :drop_repeats then 1
            when max(copies % 2) over (partition by dump, invoice_no) = 0 then copies / 2
            else copies
        end as times
    from (
        select
            dump, invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id, country,
            count(*) as copies
        from raw_invoices
        where :drop_repeats or :doubled_invoices = 'once'
        group by dump, invoice_no, stock_code, description, quantity, invoice_date, unit_price, customer_id, country
    ) as distinct_lines
),

raw_invoice_totals as (
    select
        raw_lines.invoice_no,
        raw_lines.dump,
        sum(times) as lines,
        sum(times * line_total) as amount,
        sum(case when customer_id is not null then times else 0 end) as lines_with_customer,
        sum(times * customer_id) as customers,
        row_number() over (
            partition by raw_lines.invoice_no
            order by
                max(dumps.written_at) desc, max(dumps.last_invoice_at) desc, max(dumps.loaded_at) desc,
                raw_lines.dump desc
        ) as age
    from raw_lines
    inner join dumps on raw_lines.dump = dumps.dump
    group by raw_lines.invoice_no, raw_lines.dump
),

clean_invoice_totals as (
    select
        invoice_no,
        min(dump) as dump,
        count(*) as lines,
        sum(line_total) as amount,
        count(customer_id) as lines_with_customer,
        sum(customer_id) as customers
    from clean_invoices
    group by invoice_no
)

select
    coalesce(newest.invoice_no, clean.invoice_no) as invoice_no,
    newest.dump as newest_dump,
    clean.dump as clean_dump,
    newest.lines as raw_lines,
    clean.lines as clean_lines,
    newest.amount as raw_amount,
    clean.amount as clean_amount
from (select * from raw_invoice_totals where age = 1) as newest
full join clean_invoice_totals as clean on newest.invoice_no = clean.invoice_no
where
    newest.dump is distinct from clean.dump
    or newest.lines is distinct from clean.lines
    or newest.amount is distinct from clean.amount
    or newest.lines_with_customer is distinct from clean.lines_with_customer
    or newest.customers is distinct from clean.customers
