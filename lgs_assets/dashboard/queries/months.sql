-- Orders, net sales and customers of each month up to :as_of, everybody included.
select
    invoice_month, placed_orders, doubled_orders, sales, sales_once, is_partial, last_invoice_at,
    coalesce(active_users, 0) as active, coalesce(new_users, 0) as new
from monthly_metrics
left join user_activity using (invoice_month)
where invoice_month <= :as_of
order by invoice_month
