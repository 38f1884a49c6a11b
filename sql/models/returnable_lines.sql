-- What Python matches by is whole numbers: where a price would be a float, its rank stands for it.
with lines as (
    select
        clean_invoices.invoice_no,
        clean_invoices.line_number,
        clean_invoices.customer_id,
        stock_codes.code,
        clean_invoices.invoice_date,
        clean_invoices.is_cancellation as is_return,
        case when clean_invoices.is_cancellation then -clean_invoices.quantity else clean_invoices.quantity end as units,
        clean_invoices.unit_price
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where
        clean_invoices.is_sale and not clean_invoices.is_cancellation
        or clean_invoices.is_cancellation and clean_invoices.quantity < 0 and clean_invoices.customer_id is not null
),

returned as (
    select distinct customer_id, code
    from lines
    where is_return
)

select
    lines.invoice_no,
    lines.line_number,
    lines.customer_id,
    lines.code,
    lines.invoice_date,
    row_number() over (
        partition by lines.customer_id, lines.code
        order by lines.invoice_date, lines.is_return, lines.invoice_no, lines.line_number
    ) as place,
    lines.is_return,
    lines.units,
    lines.unit_price,
    dense_rank() over (partition by lines.customer_id, lines.code order by lines.unit_price) as price_rank
from lines
inner join returned on lines.customer_id = returned.customer_id and lines.code = returned.code
