select
    customer_profile.country,
    customer_profile.cohort_month,
    customer_months.invoice_month,
    count(*) as active_customers,
    sum(customer_months.placed_orders) as placed_orders,
    sum(customer_months.doubled_orders) as doubled_orders,
    sum(customer_months.net_sales) as net_sales,
    sum(customer_months.net_sales_once) as net_sales_once
from customer_profile
inner join customer_months on customer_profile.customer_id = customer_months.customer_id
group by customer_profile.country, customer_profile.cohort_month, customer_months.invoice_month
