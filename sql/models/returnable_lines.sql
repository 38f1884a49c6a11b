-- What Python matches by is whole numbers: where a price would be a float, its rank stands for it.
with returned as (
    select distinct clean_invoices.customer_id, stock_codes.code
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where clean_invoices.is_cancellation and clean_invoices.quantity < 0 and clean_invoices.customer_id is not null
)

select
    clean_invoices.invoice_no,
    clean_invoices.line_number,
    clean_invoices.customer_id,
    stock_codes.code,
    clean_invoices.invoice_date,
    row_number() over (
        partition by clean_invoices.customer_id, stock_codes.code
        order by
            clean_invoices.invoice_date,
            clean_invoices.is_cancellation,
            clean_invoices.invoice_no,
            clean_invoices.line_number
    ) as place,
    clean_invoices.is_cancellation as is_return,
    case when clean_invoices.is_cancellation then -clean_invoices.quantity else clean_invoices.quantity end as units,
    clean_invoices.unit_price,
    dense_rank() over (
        partition by clean_invoices.customer_id, stock_codes.code order by clean_invoices.unit_price
    ) as price_rank
from clean_invoices
inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
inner join returned on clean_invoices.customer_id = returned.customer_id and stock_codes.code = returned.code
where
    clean_invoices.is_sale and not clean_invoices.is_cancellation
    or clean_invoices.is_cancellation and clean_invoices.quantity < 0
