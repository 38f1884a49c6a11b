-- Of each invoice, the lines of the newest dump that holds it: the dump that was written last, among those that were
-- written together the one whose last invoice is the latest.
with ranked_dumps as (
    select dump, row_number() over (order by written_at, last_invoice_at, loaded_at, dump) as age_rank
    from dumps
),

invoice_sources as (
    select invoice_no, max(ranked_dumps.age_rank) as age_rank
    from raw_invoices
    inner join ranked_dumps on raw_invoices.dump = ranked_dumps.dump
    group by invoice_no
),

copied_lines as (
    select
        raw_invoices.*,
        row_number() over copies > 1 as is_repeat,
        cume_dist() over copies > 0.5 as is_in_second_half
    from raw_invoices
    inner join ranked_dumps on raw_invoices.dump = ranked_dumps.dump
    inner join invoice_sources
        on raw_invoices.invoice_no = invoice_sources.invoice_no
        and ranked_dumps.age_rank = invoice_sources.age_rank
    window copies as (
        partition by
            raw_invoices.invoice_no, raw_invoices.stock_code, raw_invoices.quantity, raw_invoices.invoice_date,
            raw_invoices.unit_price, raw_invoices.customer_id, raw_invoices.description, raw_invoices.country
        order by raw_invoices.line_number
    )
),

-- The middle one of an odd number of copies is in the second half. So the halves of an invoice have equally many lines
-- if each of its lines occurs an even number of times, and only then.
counting_lines as (
    select
        copied_lines.*,
        is_in_second_half
        and sum(case when is_in_second_half then 1 else -1 end) over (partition by invoice_no) = 0 as is_second_copy
    from copied_lines
)

select
    dump,
    line_number,
    invoice_no,
    stock_code,
    description,
    quantity,
    invoice_date,
    cast(date_trunc('month', invoice_date) as date) as invoice_month,
    unit_price,
    quantity * unit_price as line_total,
    cast(customer_id as integer) as customer_id,
    country,
    invoice_no like 'C%' as is_cancellation,
    quantity > 0 and quantity * unit_price > 0 and customer_id is not null and description is not null as is_sale,
    invoice_no not like 'C%' and quantity > 0 and quantity * unit_price > 0 as is_sold,
    is_repeat,
    is_second_copy
from counting_lines
where not (is_repeat and :drop_repeats) and not (is_second_copy and :doubled_invoices = 'once')
