with active as (
    select
        customer_id,
        invoice_month,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once
    from invoice_totals
    where sale_lines > 0
    group by customer_id, invoice_month
),

neighbours as (
    select
        active.*,
        cast(invoice_month + interval '1 month' as date) as month_after,
        lag(invoice_month) over (partition by customer_id order by invoice_month) as month_before,
        lead(invoice_month) over (partition by customer_id order by invoice_month) as next_month
    from active
),

-- A customer lapses in the month after.
flows as (
    select
        invoice_month,
        case
            when month_before is null then 'new'
            when month_before + interval '1 month' = invoice_month then 'retained'
            else 'reactivated'
        end as flow,
        sales,
        sales_once
    from neighbours
    union all
    select month_after as invoice_month, 'lapsed' as flow, sales, sales_once
    from neighbours
    where next_month is null or next_month > month_after
),

counted as (
    select
        invoice_month,
        count(case when flow <> 'lapsed' then 1 end) as active_customers,
        count(case when flow = 'new' then 1 end) as new_customers,
        count(case when flow = 'retained' then 1 end) as retained_customers,
        count(case when flow = 'reactivated' then 1 end) as reactivated_customers,
        count(case when flow = 'lapsed' then 1 end) as lapsed_customers,
        sum(case when flow <> 'lapsed' then sales else 0 end) as sales,
        sum(case when flow <> 'lapsed' then sales_once else 0 end) as sales_once,
        sum(case when flow = 'new' then sales else 0 end) as new_sales,
        sum(case when flow = 'new' then sales_once else 0 end) as new_sales_once,
        sum(case when flow = 'retained' then sales else 0 end) as retained_sales,
        sum(case when flow = 'retained' then sales_once else 0 end) as retained_sales_once,
        sum(case when flow = 'reactivated' then sales else 0 end) as reactivated_sales,
        sum(case when flow = 'reactivated' then sales_once else 0 end) as reactivated_sales_once,
        sum(case when flow = 'lapsed' then sales else 0 end) as lapsed_sales,
        sum(case when flow = 'lapsed' then sales_once else 0 end) as lapsed_sales_once
    from flows
    group by invoice_month
),

span as (
    select
        cast(min(invoice_month) as timestamp) as first_month,
        cast(max(invoice_month) as timestamp) as last_month
    from monthly_metrics
)

select
    cast(months.invoice_month as date) as invoice_month,
    coalesce(active_customers, 0) as active_customers,
    coalesce(new_customers, 0) as new_customers,
    coalesce(retained_customers, 0) as retained_customers,
    coalesce(reactivated_customers, 0) as reactivated_customers,
    coalesce(lapsed_customers, 0) as lapsed_customers,
    coalesce(counted.sales, 0) as sales,
    coalesce(counted.sales_once, 0) as sales_once,
    coalesce(new_sales, 0) as new_sales,
    coalesce(new_sales_once, 0) as new_sales_once,
    coalesce(retained_sales, 0) as retained_sales,
    coalesce(retained_sales_once, 0) as retained_sales_once,
    coalesce(reactivated_sales, 0) as reactivated_sales,
    coalesce(reactivated_sales_once, 0) as reactivated_sales_once,
    coalesce(lapsed_sales, 0) as lapsed_sales,
    coalesce(lapsed_sales_once, 0) as lapsed_sales_once,
    months.invoice_month = first_month as is_left_censored,
    coalesce(monthly_metrics.is_partial, false) as is_partial
from span
cross join lateral generate_series(first_month, last_month, interval '1 month') as months (invoice_month)
left join counted on months.invoice_month = counted.invoice_month
left join monthly_metrics on months.invoice_month = monthly_metrics.invoice_month
