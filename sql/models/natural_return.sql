-- Windows are whole calendar months, which invoice_totals covers exactly; one that the data does not fill has no row.
with whole_months as (
    select
        cast(min(invoice_month) as timestamp) as whole_from,
        cast(max(invoice_month) as timestamp) + interval '1 month' as whole_until
    from monthly_metrics
    where not is_partial
),

sizes as (
    select segment, snapshot_date, count(*) as customers
    from rfm_history
    group by segment, snapshot_date
),

starts as (
    select distinct snapshot_date
    from sizes
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

bought_by_month as (
    select
        customer_id,
        cast(invoice_month as timestamp) as begins,
        max(case when sum(sale_lines) > 0 then cast(invoice_month as timestamp) end) over (
            partition by customer_id order by invoice_month rows between unbounded preceding and 1 preceding
        ) as bought_before,
        sum(sale_lines) as sale_lines,
        sum(sale_amount) as sales,
        sum(amount) as net_revenue,
        sum(sale_amount - second_copy_sale_amount) as sales_once,
        sum(amount - second_copy_amount) as net_once
    from invoice_totals
    where customer_id is not null
    group by customer_id, invoice_month
),

-- Everybody in a segment has bought before the start. Of the months of a return, the first is the one to count.
moved as (
    select
        rfm_history.segment,
        covered.snapshot_date,
        covered.months,
        count(
            case when begins >= covered.snapshot_date and sale_lines > 0 and bought_before < covered.snapshot_date then 1 end
        ) as came_back,
        sum(case when begins >= covered.snapshot_date then sales end) as sales_after,
        sum(case when begins >= covered.snapshot_date then net_revenue end) as net_after,
        sum(case when begins < covered.snapshot_date then net_revenue end) as net_before,
        sum(case when begins >= covered.snapshot_date then sales_once end) as sales_after_once,
        sum(case when begins >= covered.snapshot_date then net_once end) as net_after_once,
        sum(case when begins < covered.snapshot_date then net_once end) as net_before_once
    from covered
    inner join rfm_history on covered.snapshot_date = rfm_history.snapshot_date
    inner join bought_by_month
        on rfm_history.customer_id = bought_by_month.customer_id
        and begins >= begins_before
        and begins < ends_after
    group by rfm_history.segment, covered.snapshot_date, covered.months
)

select
    sizes.segment,
    covered.snapshot_date,
    covered.months,
    sizes.customers,
    coalesce(came_back, 0) as came_back,
    coalesce(sales_after, 0) as sales_after,
    coalesce(net_after, 0) as net_after,
    case when has_before then coalesce(net_before, 0) end as net_before,
    coalesce(sales_after_once, 0) as sales_after_once,
    coalesce(net_after_once, 0) as net_after_once,
    case when has_before then coalesce(net_before_once, 0) end as net_before_once
from covered
inner join sizes on covered.snapshot_date = sizes.snapshot_date
left join moved
    on sizes.segment = moved.segment
    and covered.snapshot_date = moved.snapshot_date
    and covered.months = moved.months
