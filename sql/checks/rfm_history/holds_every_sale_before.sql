-- The invoices and sales of each snapshot are all those before it, to the penny.
-- blocking
with snapshots as (
    select
        snapshot_date,
        sum(frequency) as invoices,
        sum(monetary) as sales,
        sum(monetary_once) as sales_once
    from rfm_history
    group by snapshot_date
),

sold as (
    select customer_id, invoice_no, min(last_sale_at) as first_sale_at
    from invoice_totals
    where sale_lines > 0
    group by customer_id, invoice_no
),

before as (
    select snapshot_date, count(*) as invoices
    from snapshots
    inner join sold on first_sale_at < snapshot_date
    group by snapshot_date
),

sales_before as (
    select
        snapshot_date,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once
    from snapshots
    inner join invoice_totals on last_sale_at < snapshot_date
    group by snapshot_date
)

select
    snapshots.snapshot_date,
    snapshots.invoices,
    before.invoices as invoices_before,
    snapshots.sales,
    sales_before.sales as sales_before,
    snapshots.sales_once,
    sales_before.sales_once as sales_before_once
from snapshots
left join before on snapshots.snapshot_date = before.snapshot_date
left join sales_before on snapshots.snapshot_date = sales_before.snapshot_date
where
    snapshots.invoices is distinct from before.invoices
    or snapshots.sales is distinct from sales_before.sales
    or snapshots.sales_once is distinct from sales_before.sales_once
