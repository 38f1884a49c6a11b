-- Windows are whole calendar months, which invoice_totals covers exactly; one that the data does not fill has no row.
with whole_months as (
    select
        cast(min(invoice_month) as timestamp) as whole_from,
        cast(max(invoice_month) as timestamp) + interval '1 month' as whole_until
    from monthly_metrics
    where not is_partial
),

starts as (
    select distinct snapshot_date
    from rfm_history
    where snapshot_date = date_trunc('month', snapshot_date)
),

windows as (
    select
        snapshot_date,
        3 as months,
        snapshot_date - interval '3 months' as begins_before,
        snapshot_date + interval '3 months' as ends_after
    from starts
    union all
    select
        snapshot_date,
        6 as months,
        snapshot_date - interval '6 months' as begins_before,
        snapshot_date + interval '6 months' as ends_after
    from starts
),

covered as (
    select windows.*, begins_before >= whole_from as has_before
    from windows
    inner join whole_months on ends_after <= whole_until
),

customer_months as (
    select
        customer_id,
        cast(invoice_month as timestamp) as begins,
        sum(sale_lines) as sale_lines,
        sum(sale_amount) as sales,
        sum(amount) as net_revenue,
        sum(sale_amount - second_copy_sale_amount) as sales_once,
        sum(amount - second_copy_amount) as net_once
    from invoice_totals
    where customer_id is not null
    group by customer_id, invoice_month
),

customers as (
    select
        covered.snapshot_date,
        covered.months,
        covered.has_before,
        rfm_history.segment,
        rfm_history.customer_id,
        coalesce(sum(case when begins >= covered.snapshot_date then sale_lines end), 0) > 0 as came_back,
        coalesce(sum(case when begins >= covered.snapshot_date then sales end), 0) as sales_after,
        coalesce(sum(case when begins >= covered.snapshot_date then net_revenue end), 0) as net_after,
        coalesce(sum(case when begins < covered.snapshot_date then net_revenue end), 0) as net_before,
        coalesce(sum(case when begins >= covered.snapshot_date then sales_once end), 0) as sales_after_once,
        coalesce(sum(case when begins >= covered.snapshot_date then net_once end), 0) as net_after_once,
        coalesce(sum(case when begins < covered.snapshot_date then net_once end), 0) as net_before_once
    from covered
    inner join rfm_history on covered.snapshot_date = rfm_history.snapshot_date
    left join customer_months
        on rfm_history.customer_id = customer_months.customer_id
        and begins >= begins_before
        and begins < ends_after
    group by covered.snapshot_date, covered.months, covered.has_before, rfm_history.segment, rfm_history.customer_id
)

select
    segment,
    snapshot_date,
    months,
    count(*) as customers,
    count(case when came_back then 1 end) as came_back,
    sum(sales_after) as sales_after,
    sum(net_after) as net_after,
    case when has_before then sum(net_before) end as net_before,
    sum(sales_after_once) as sales_after_once,
    sum(net_after_once) as net_after_once,
    case when has_before then sum(net_before_once) end as net_before_once
from customers
group by segment, snapshot_date, months, has_before
