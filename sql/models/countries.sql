with customers as (
    select
        country,
        customer_id,
        sum(sale_lines) as sale_lines,
        sum(sale_amount) as sales,
        min(case when sale_lines > 0 then invoice_month end) as first_month
    from invoice_totals
    where customer_id is not null
    group by country, customer_id
),

known as (
    select
        country,
        count(*) as customers,
        count(case when sale_lines > 0 then 1 end) as sale_customers,
        count(case when first_month = first_month_ever then 1 end) as new_customers,
        max(sales) as largest_sales
    from (select customers.*, min(first_month) over (partition by customer_id) as first_month_ever from customers) as lives
    group by country
),

totals as (
    select
        country,
        sum(lines) as lines,
        count(distinct invoice_no) as invoices,
        count(distinct case when sale_lines > 0 then invoice_no end) as sale_invoices,
        sum(amount) as net_sales,
        sum(sale_amount) as sales,
        sum(case when is_cancellation then -amount else 0 end) as returned
    from invoice_totals
    group by country
)

select
    totals.country,
    totals.lines,
    totals.invoices,
    coalesce(known.customers, 0) as customers,
    totals.net_sales,
    coalesce(known.sale_customers, 0) as sale_customers,
    coalesce(known.new_customers, 0) as new_customers,
    totals.sales,
    totals.sale_invoices,
    totals.returned,
    round(totals.net_sales / nullif(sum(totals.net_sales) over (), 0), 6) as net_sales_share,
    round(totals.sales / nullif(totals.sale_invoices, 0), 6) as sales_per_invoice,
    round(known.largest_sales / nullif(totals.sales, 0), 6) as top_customer_share
from totals
left join known on totals.country = known.country
