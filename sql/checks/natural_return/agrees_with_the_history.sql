-- Customers, those who came back and their sales are what rfm_history has gained from the start to the window's end.
-- error
with gained as (
    select
        natural_return.segment,
        natural_return.snapshot_date,
        natural_return.months,
        count(*) as customers,
        count(case when later.last_invoice_at >= natural_return.snapshot_date then 1 end) as came_back,
        sum(later.monetary - earlier.monetary) as sales_after,
        sum(later.monetary_once - earlier.monetary_once) as sales_after_once
    from natural_return
    inner join rfm_history as earlier
        on natural_return.segment = earlier.segment and natural_return.snapshot_date = earlier.snapshot_date
    inner join rfm_history as later
        on earlier.customer_id = later.customer_id
        and case natural_return.months
            when 3 then later.snapshot_date - interval '3 months' else later.snapshot_date - interval '6 months'
        end = natural_return.snapshot_date
    group by natural_return.segment, natural_return.snapshot_date, natural_return.months
)

select
    natural_return.segment,
    natural_return.snapshot_date,
    natural_return.months,
    natural_return.customers,
    natural_return.came_back,
    natural_return.sales_after,
    gained.customers as customers_in_history,
    gained.came_back as came_back_in_history,
    gained.sales_after as sales_after_in_history,
    natural_return.sales_after_once,
    gained.sales_after_once as sales_after_once_in_history
from natural_return
left join gained
    on natural_return.segment = gained.segment
    and natural_return.snapshot_date = gained.snapshot_date
    and natural_return.months = gained.months
where
    natural_return.customers is distinct from gained.customers
    or natural_return.came_back is distinct from gained.came_back
    or natural_return.sales_after is distinct from gained.sales_after
    or natural_return.sales_after_once is distinct from gained.sales_after_once
