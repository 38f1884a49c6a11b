-- What customers and guests gained and lost is the change of net sales between the invoices of both months, doubled ones
-- counted once, to the penny; and every comparison that the months allow is there.
-- error
with months as (
    select invoice_month, sum(amount - second_copy_amount) as net_sales
    from invoice_totals
    group by invoice_month
),

changes as (
    select recent.invoice_month, 'month before' as comparison, recent.net_sales - earlier.net_sales as change
    from months as recent
    inner join months as earlier on earlier.invoice_month = recent.invoice_month - interval '1 month'
    union all
    select recent.invoice_month, 'year before' as comparison, recent.net_sales - earlier.net_sales as change
    from months as recent
    inner join months as earlier on earlier.invoice_month = recent.invoice_month - interval '1 year'
)

select
    coalesce(moved.invoice_month, changes.invoice_month) as invoice_month,
    coalesce(moved.comparison, changes.comparison) as comparison,
    moved.change,
    changes.change as change_of_invoices
from (
    select invoice_month, comparison, sum(change) as change
    from customer_gain_loss
    group by invoice_month, comparison
) as moved
full join changes on moved.invoice_month = changes.invoice_month and moved.comparison = changes.comparison
where moved.change is distinct from changes.change
