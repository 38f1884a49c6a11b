-- The six effects of each comparison add up to the change of net sales between the invoices of the two months, doubled
-- ones counted once, to the penny; and every comparison that the months allow is there.
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
    coalesce(drivers.invoice_month, changes.invoice_month) as invoice_month,
    coalesce(drivers.comparison, changes.comparison) as comparison,
    drivers.effects,
    changes.change
from (
    select
        invoice_month,
        comparison,
        customers_effect + orders_effect + items_effect + price_effect + guests_effect + returns_effect as effects
    from sales_drivers
) as drivers
full join changes on drivers.invoice_month = changes.invoice_month and drivers.comparison = changes.comparison
where drivers.effects is distinct from changes.change
