-- Whoever is new, back, grown, shrunk or lost is so by the months of their invoices: the customers of each movement, and what
-- they came to in both months, doubled invoices counted once, are those of the invoices, to the penny.
-- error
with amounts as (
    select
        invoice_month,
        coalesce(cast(customer_id as text), 'guests') as buyer,
        sum(amount - second_copy_amount) as net_sales
    from invoice_totals
    group by invoice_month, customer_id
),

firsts as (
    select buyer, min(invoice_month) as first_month
    from amounts
    group by buyer
),

recent as (
    select sales_drivers.invoice_month, comparison, compared_month, buyer, amounts.net_sales
    from sales_drivers
    inner join amounts on sales_drivers.invoice_month = amounts.invoice_month
),

earlier as (
    select sales_drivers.invoice_month, comparison, compared_month, buyer, amounts.net_sales
    from sales_drivers
    inner join amounts on compared_month = amounts.invoice_month
),

moved as (
    select
        invoice_month,
        comparison,
        buyer,
        case
            when buyer = 'guests' then 'guests'
            when recent.net_sales > earlier.net_sales then 'grown'
            when recent.net_sales < earlier.net_sales then 'shrunk'
            when recent.net_sales = earlier.net_sales then 'level'
            when recent.net_sales is null then 'lost'
            when first_month < compared_month then 'back'
            else 'new'
        end as movement,
        coalesce(recent.net_sales, 0) as net_sales,
        coalesce(earlier.net_sales, 0) as net_sales_before
    from recent
    full join earlier using (invoice_month, comparison, compared_month, buyer)
    inner join firsts using (buyer)
),

invoiced as (
    select
        invoice_month,
        comparison,
        movement,
        count(nullif(buyer, 'guests')) as customers,
        sum(net_sales) as net_sales,
        sum(net_sales_before) as net_sales_before
    from moved
    group by invoice_month, comparison, movement
)

select
    invoice_month,
    comparison,
    movement,
    told.customers,
    invoiced.customers as customers_of_invoices,
    told.net_sales,
    invoiced.net_sales as net_sales_of_invoices,
    told.net_sales_before,
    invoiced.net_sales_before as net_sales_of_invoices_before
from customer_gain_loss as told
full join invoiced using (invoice_month, comparison, movement)
where
    told.customers is distinct from invoiced.customers
    or told.net_sales is distinct from invoiced.net_sales
    or told.net_sales_before is distinct from invoiced.net_sales_before
