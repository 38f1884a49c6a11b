-- For every start and window within the whole months of the data, the customers, those who came back and their sales are
-- those that rfm_history has at the start, and what their invoices say of the days of the window.
-- error
with gained as (
    select
        rfm_history.segment,
        rfm_history.snapshot_date,
        windows.months,
        count(distinct rfm_history.customer_id) as customers,
        count(distinct case when sale_lines > 0 then rfm_history.customer_id end) as came_back,
        coalesce(sum(sale_amount), 0) as sales_after,
        coalesce(sum(sale_amount - second_copy_sale_amount), 0) as sales_after_once
    from rfm_history
    cross join (values (3), (6)) as windows (months)
    left join invoice_totals
        on rfm_history.customer_id = invoice_totals.customer_id
        and invoice_day >= rfm_history.snapshot_date
        and invoice_day < rfm_history.snapshot_date + windows.months * interval '1 month'
    where
        rfm_history.snapshot_date = date_trunc('month', rfm_history.snapshot_date)
        and rfm_history.snapshot_date + windows.months * interval '1 month' <= (
            select max(invoice_month) + interval '1 month' from monthly_metrics where not is_partial
        )
    group by rfm_history.segment, rfm_history.snapshot_date, windows.months
)

select
    coalesce(natural_return.segment, gained.segment) as segment,
    coalesce(natural_return.snapshot_date, gained.snapshot_date) as snapshot_date,
    coalesce(natural_return.months, gained.months) as months,
    natural_return.customers,
    natural_return.came_back,
    natural_return.sales_after,
    gained.customers as customers_by_invoices,
    gained.came_back as came_back_by_invoices,
    gained.sales_after as sales_after_by_invoices,
    natural_return.sales_after_once,
    gained.sales_after_once as sales_after_once_by_invoices
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
