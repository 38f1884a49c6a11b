-- What customers returned are their cancelled lines, one by one, to the unit and to the penny, and what is matched of each
-- is the sum of its matches.
-- error
with cancelled as (
    select invoice_no, line_number, -quantity as units, -line_total as amount
    from clean_invoices
    where is_cancellation and quantity < 0 and customer_id is not null
),

matched as (
    select invoice_no, line_number, sum(units) as units
    from return_matches
    group by invoice_no, line_number
)

select
    coalesce(returns.invoice_no, cancelled.invoice_no, matched.invoice_no) as invoice_no,
    coalesce(returns.line_number, cancelled.line_number, matched.line_number) as line_number,
    returns.units,
    cancelled.units as units_cancelled,
    returns.amount,
    cancelled.amount as amount_cancelled,
    returns.units_matched,
    matched.units as units_of_matches
from returns
full join cancelled on returns.invoice_no = cancelled.invoice_no and returns.line_number = cancelled.line_number
full join matched on returns.invoice_no = matched.invoice_no and returns.line_number = matched.line_number
where
    returns.units is distinct from cancelled.units
    or returns.amount is distinct from cancelled.amount
    or returns.units_matched is distinct from coalesce(matched.units, 0)
