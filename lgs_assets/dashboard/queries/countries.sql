-- What each country bought in the twelve months up to :as_of, and how much of it one customer did.
with bought as (
    select country, customer_id, sum(sale_amount - second_copy_sale_amount) as sales
    from invoice_totals
    where sale_lines > 0 and invoice_month between cast(:as_of as date) - interval '11 months' and :as_of
    group by country, customer_id
)

select country, net_sales, orders, coalesce(customers, 0) as customers, top_customer_share
from (
    select country, sum(net_sales_once) as net_sales, sum(orders) as orders
    from country_months
    where invoice_month between cast(:as_of as date) - interval '11 months' and :as_of
    group by country
) as months
left join (
    select country, count(*) as customers, max(sales) / nullif(sum(sales), 0) as top_customer_share
    from bought
    group by country
) as known using (country)
where cast(:countries as text[]) is null or country = any(cast(:countries as text[]))
order by net_sales desc, country
