-- The countries, by what they bought in the twelve months up to :as_of, and how much of it one customer bought.
select
    months.country, sum(months.net_sales_once) as net_sales, sum(months.sales_once) as sales, sum(months.orders) as orders,
    sum(months.new_customers) as new_customers, countries.sale_customers as customers, countries.top_customer_share
from country_months as months
inner join countries using (country)
where invoice_month between cast(:as_of as date) - interval '11 months' and :as_of
    and (cast(:countries as text[]) is null or months.country = any(cast(:countries as text[])))
group by months.country, countries.sale_customers, countries.top_customer_share
order by net_sales desc, months.country
