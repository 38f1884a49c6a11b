-- For every start and window within the whole months of the data, the customers, those who came back and their sales are
-- what rfm_history has gained from the start to the window's end.
-- error
with gained as (
    select
        earlier.segment,
        earlier.snapshot_date,
        windows.months,
        count(*) as customers,
        count(case when later.last_invoice_at >= earlier.snapshot_date then 1 end) as came_back,
        sum(later.monetary - earlier.monetary) as sales_after,
        sum(later.monetary_once - earlier.monetary_once) as sales_after_once
    from rfm_history as earlier
    cross join (values (3), (6)) as windows (months)
    inner join rfm_history as later
        on earlier.customer_id = later.customer_id
        and later.snapshot_date = earlier.snapshot_date + windows.months * interval '1 month'
    where
        earlier.snapshot_date = date_trunc('month', earlier.snapshot_date)
        and later.snapshot_date <= (
            select max(invoice_month) + interval '1 month' from monthly_metrics where not is_partial
        )
    group by earlier.segment, earlier.snapshot_date, windows.months
)

select
    coalesce(natural_return.segment, gained.segment) as segment,
    coalesce(natural_return.snapshot_date, gained.snapshot_date) as snapshot_date,
    coalesce(natural_return.months, gained.months) as months,
    natural_return.customers,
    natural_return.came_back,
    natural_return.sales_after,
    gained.customers as customers_in_history,
    gained.came_back as came_back_in_history,
    gained.sales_after as sales_after_in_history,
    natural_return.sales_after_once,
    gained.sales_after_once as sales_after_once_in_history
from natural_return
full join gained
    on natural_return.segment = gained.segment
    and natural_return.snapshot_date = gained.snapshot_date
    and natural_return.months = gained.months
where
    natural_return.customers is distinct from gained.customers
    or natural_return.came_back is distinct from gained.came_back
    or natural_return.sales_after is distinct from gained.sales_after
    or natural_return.sales_after_once is distinct from gained.sales_after_once
