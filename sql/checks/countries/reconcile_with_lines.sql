-- The figures of each country are those of its lines: their number and amounts, to the penny, guests included; its invoices
-- and customers; and the share of the largest one.
-- error
with invoices as (
    select
        country,
        invoice_no,
        customer_id,
        count(*) as lines,
        sum(line_total) as net_sales,
        count(case when is_sale then 1 end) as sale_lines,
        sum(case when is_sale then line_total else 0 end) as sales,
        sum(case when is_cancellation then -line_total else 0 end) as returned
    from clean_invoices
    group by country, invoice_no, customer_id
),

largest as (
    select country, max(sales) as sales
    from (select country, sum(sales) as sales from invoices group by country, customer_id) as customers
    group by country
),

wanted as (
    select
        country,
        sum(lines) as lines,
        count(distinct invoice_no) as invoices,
        count(distinct customer_id) as customers,
        sum(net_sales) as net_sales,
        count(distinct case when sale_lines > 0 then customer_id end) as sale_customers,
        count(distinct case when sale_lines > 0 then invoice_no end) as sale_invoices,
        sum(sales) as sales,
        sum(returned) as returned
    from invoices
    group by country
)

select
    coalesce(countries.country, wanted.country) as country,
    countries.lines,
    wanted.lines as lines_wanted,
    countries.invoices,
    wanted.invoices as invoices_wanted,
    countries.customers,
    wanted.customers as customers_wanted,
    countries.net_sales,
    wanted.net_sales as net_sales_wanted,
    countries.sale_customers,
    wanted.sale_customers as sale_customers_wanted,
    countries.sale_invoices,
    wanted.sale_invoices as sale_invoices_wanted,
    countries.sales,
    wanted.sales as sales_wanted,
    countries.returned,
    wanted.returned as returned_wanted,
    top_customer_share,
    largest.sales as largest_sales
from countries
full join wanted on countries.country = wanted.country
left join largest on wanted.country = largest.country
where
    countries.lines is distinct from wanted.lines
    or countries.invoices is distinct from wanted.invoices
    or countries.customers is distinct from wanted.customers
    or countries.net_sales is distinct from wanted.net_sales
    or countries.sale_customers is distinct from wanted.sale_customers
    or countries.sale_invoices is distinct from wanted.sale_invoices
    or countries.sales is distinct from wanted.sales
    or countries.returned is distinct from wanted.returned
    or top_customer_share is distinct from round(largest.sales / nullif(wanted.sales, 0), 6)
