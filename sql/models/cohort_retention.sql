with active as (
    select
        customer_id,
        invoice_month,
        count(distinct invoice_no) as invoices,
        sum(sale_amount) as sales,
        sum(sale_amount - second_copy_sale_amount) as sales_once
    from invoice_totals
    where sale_lines > 0
    group by customer_id, invoice_month
),

first_months as (
    select customer_id, min(invoice_month) as cohort_month
    from active
    group by customer_id
),

cohorts as (
    select cohort_month, count(*) as customers
    from first_months
    group by cohort_month
),

span as (
    select
        cast(min(invoice_month) as timestamp) as first_month,
        cast(max(invoice_month) as timestamp) as last_month
    from monthly_metrics
),

-- Months in which nobody of a cohort bought are months, too. One without any invoice is whole.
months as (
    select
        cohort_month,
        cast(whole.invoice_month as date) as invoice_month,
        customers,
        cohort_month = first_month as is_left_censored,
        began.is_partial or coalesce(observed.is_partial, false) as is_partial
    from span
    cross join lateral generate_series(first_month, last_month, interval '1 month') as whole (invoice_month)
    inner join cohorts on whole.invoice_month >= cohort_month
    inner join monthly_metrics as began on cohort_month = began.invoice_month
    left join monthly_metrics as observed on whole.invoice_month = observed.invoice_month
),

bought as (
    select
        cohort_month,
        invoice_month,
        count(*) as active,
        sum(invoices) as invoices,
        sum(sales) as sales,
        sum(sales_once) as sales_once
    from active
    inner join first_months on active.customer_id = first_months.customer_id
    group by cohort_month, invoice_month
),

filled as (
    select
        months.*,
        coalesce(active, 0) as active,
        cast(coalesce(invoices, 0) as bigint) as invoices,
        coalesce(sales, 0) as sales,
        coalesce(sales_once, 0) as sales_once,
        max(case when months.invoice_month = months.cohort_month then sales end) over cohort as base_sales,
        max(case when months.invoice_month = months.cohort_month then sales_once end) over cohort as base_sales_once
    from months
    left join bought on months.cohort_month = bought.cohort_month and months.invoice_month = bought.invoice_month
    window cohort as (partition by months.cohort_month)
)

select
    cohort_month,
    cast(
        12 * (extract(year from invoice_month) - extract(year from cohort_month))
        + extract(month from invoice_month) - extract(month from cohort_month) as integer
    ) as months_since,
    invoice_month,
    customers,
    active,
    invoices,
    base_sales,
    base_sales_once,
    sales,
    sales_once,
    round(100.0 * active / customers, 6) as retention_pct,
    round(100 * sales / base_sales, 6) as revenue_retention_pct,
    round(100 * sales_once / base_sales_once, 6) as revenue_retention_once_pct,
    is_left_censored,
    is_partial
from filled
