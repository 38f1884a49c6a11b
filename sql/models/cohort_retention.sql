with active as (
    select customer_id, invoice_month, count(distinct invoice_no) as invoices, sum(sale_amount) as sales
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
        cast(max(invoice_month) as timestamp) as last_month,
        max(case when is_partial then invoice_month end) as partial_month
    from monthly_metrics
),

-- Months in which nobody of a cohort bought are months, too.
months as (
    select
        cohort_month,
        cast(invoice_month as date) as invoice_month,
        customers,
        cohort_month = first_month as is_left_censored,
        coalesce(invoice_month = partial_month, false) as is_partial
    from span
    cross join lateral generate_series(first_month, last_month, interval '1 month') as whole (invoice_month)
    inner join cohorts on invoice_month >= cohort_month
),

bought as (
    select
        cohort_month,
        invoice_month,
        count(*) as active,
        sum(invoices) as invoices,
        sum(sales) as sales
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
        max(case when months.invoice_month = months.cohort_month then sales end) over (
            partition by months.cohort_month
        ) as base_sales
    from months
    left join bought on months.cohort_month = bought.cohort_month and months.invoice_month = bought.invoice_month
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
    sales,
    round(100.0 * active / customers, 6) as retention_pct,
    round(100 * sales / base_sales, 6) as revenue_retention_pct,
    is_left_censored,
    is_partial
from filled
