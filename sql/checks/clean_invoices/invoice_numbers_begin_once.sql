-- An invoice number stands for one invoice. A number that begins again, with another customer and other products on
-- another day, stands for two: in one dump they add up to one invoice, in two dumps the older one is lost.
-- warning
with days as (
    select
        invoice_no,
        cast(min(invoice_date) as date) as first_day,
        cast(max(invoice_date) as date) as last_day
    from raw_invoices
    group by invoice_no
),

lines_of_days as (
    select distinct
        raw_invoices.invoice_no,
        cast(invoice_date as date) as invoice_day,
        stock_code,
        customer_id
    from raw_invoices
    inner join days on raw_invoices.invoice_no = days.invoice_no and days.first_day < days.last_day
)

select
    later.invoice_no,
    min(earlier.invoice_day) as first_began_on,
    later.invoice_day as began_again_on,
    min(earlier.customer_id) as first_customer_id,
    min(later.customer_id) as later_customer_id
from lines_of_days as later
inner join lines_of_days as earlier
    on later.invoice_no = earlier.invoice_no
    and earlier.invoice_day < later.invoice_day
group by later.invoice_no, later.invoice_day
having
    max(
        case
            when earlier.customer_id = later.customer_id or earlier.stock_code = later.stock_code then 1
            else 0
        end
    ) = 0
order by invoice_no, began_again_on
