-- The figures of each country are those of its lines: their number and amounts, to the penny, guests included; and of its
-- invoices: how many they are, of how many customers, and the share of the largest one.
-- error
with lines as (
    select
        country,
        count(*) as lines,
        sum(line_total) as net_sales,
        sum(case when is_sale then line_total else 0 end) as sales,
        sum(case when is_cancellation then -line_total else 0 end) as returned
    from clean_invoices
    group by country
),

counted as (
    select
        country,
        count(distinct invoice_no) as invoices,
        count(distinct customer_id) as customers,
        count(distinct case when sale_lines > 0 then customer_id end) as sale_customers,
        count(distinct case when sale_lines > 0 then invoice_no end) as sale_invoices
    from invoice_totals
    group by country
),

buyers as (
    select country, customer_id, invoice_month = min(invoice_month) over (partition by customer_id) as is_new
    from invoice_totals
    where sale_lines > 0
),

newcomers as (
    select country, count(distinct customer_id) as customers
    from buyers
    where is_new
    group by country
),

largest as (
    select country, max(sales) as sales
    from (select country, sum(sale_amount) as sales from invoice_totals group by country, customer_id) as customers
    group by country
),

wanted as (
    select
        lines.*,
        invoices,
        counted.customers,
        sale_customers,
        sale_invoices,
        coalesce(newcomers.customers, 0) as new_customers,
        round(largest.sales / nullif(lines.sales, 0), 6) as top_customer_share
    from lines
    inner join counted on lines.country = counted.country
    inner join largest on lines.country = largest.country
    left join newcomers on lines.country = newcomers.country
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
    countries.new_customers,
    wanted.new_customers as new_customers_wanted,
    countries.sale_invoices,
    wanted.sale_invoices as sale_invoices_wanted,
    countries.sales,
    wanted.sales as sales_wanted,
    countries.returned,
    wanted.returned as returned_wanted,
    countries.top_customer_share,
    wanted.top_customer_share as top_customer_share_wanted
from countries
full join wanted on countries.country = wanted.country
where
    countries.lines is distinct from wanted.lines
    or countries.invoices is distinct from wanted.invoices
    or countries.customers is distinct from wanted.customers
    or countries.net_sales is distinct from wanted.net_sales
    or countries.sale_customers is distinct from wanted.sale_customers
    or countries.new_customers is distinct from wanted.new_customers
    or countries.sale_invoices is distinct from wanted.sale_invoices
    or countries.sales is distinct from wanted.sales
    or countries.returned is distinct from wanted.returned
    or countries.top_customer_share is distinct from wanted.top_customer_share
