-- For every start and window within the whole months of the data, the customers, those who came back and their sales are
-- those that rfm_history has at the start, and what their invoices say of the months of the window; so are the net sales of
-- as many months before it, where the data has them.
-- error
with whole_months as (
    select
        cast(min(invoice_month) as timestamp) as whole_from,
        max(invoice_month) + interval '1 month' as whole_until
    from monthly_metrics
    where not is_partial
),

windows as (
    select
        snapshot_date,
        months,
        snapshot_date - months * interval '1 month' as begins_before,
        snapshot_date + months * interval '1 month' as ends_after
    from (select distinct snapshot_date from rfm_history) as moments
    cross join (values (3), (6)) as lengths (months)
    where snapshot_date = date_trunc('month', snapshot_date)
),

starts as (
    select windows.*, customer_id, segment, begins_before >= whole_from as has_before
    from windows
    inner join whole_months on ends_after <= whole_until
    inner join rfm_history on windows.snapshot_date = rfm_history.snapshot_date
),

bought as (
    select
        customer_id,
        invoice_month,
        sum(sale_lines) as sale_lines,
        sum(sale_amount) as sales,
        sum(amount) as net,
        sum(second_copy_sale_amount) as sales_twice,
        sum(second_copy_amount) as net_twice
    from invoice_totals
    group by customer_id, invoice_month
),

spent as (
    select
        segment,
        snapshot_date,
        months,
        sum(sales) filter (where invoice_month >= snapshot_date) as sales_after,
        sum(net) filter (where invoice_month >= snapshot_date) as net_after,
        sum(net) filter (where invoice_month < snapshot_date) as net_before,
        sum(sales_twice) filter (where invoice_month >= snapshot_date) as sales_twice_after,
        sum(net_twice) filter (where invoice_month >= snapshot_date) as net_twice_after,
        sum(net_twice) filter (where invoice_month < snapshot_date) as net_twice_before
    from starts
    inner join bought
        on starts.customer_id = bought.customer_id
        and invoice_month >= begins_before
        and invoice_month < ends_after
    group by segment, snapshot_date, months
),

buyers as (
    select segment, snapshot_date, months, count(distinct starts.customer_id) as came_back
    from starts
    inner join bought
        on starts.customer_id = bought.customer_id
        and invoice_month >= snapshot_date
        and invoice_month < ends_after
    where sale_lines > 0
    group by segment, snapshot_date, months
),

gained as (
    select
        starts.segment,
        starts.snapshot_date,
        starts.months,
        count(*) as customers,
        coalesce(max(came_back), 0) as came_back,
        coalesce(max(sales_after), 0) as sales_after,
        coalesce(max(net_after), 0) as net_after,
        case when has_before then coalesce(max(net_before), 0) end as net_before,
        coalesce(max(sales_after - sales_twice_after), 0) as sales_after_once,
        coalesce(max(net_after - net_twice_after), 0) as net_after_once,
        case when has_before then coalesce(max(net_before - net_twice_before), 0) end as net_before_once
    from starts
    left join spent using (segment, snapshot_date, months)
    left join buyers using (segment, snapshot_date, months)
    group by starts.segment, starts.snapshot_date, starts.months, has_before
)

select
    coalesce(natural_return.segment, gained.segment) as segment,
    coalesce(natural_return.snapshot_date, gained.snapshot_date) as snapshot_date,
    coalesce(natural_return.months, gained.months) as months,
    natural_return.customers,
    gained.customers as customers_by_invoices,
    natural_return.came_back,
    gained.came_back as came_back_by_invoices,
    natural_return.sales_after,
    gained.sales_after as sales_after_by_invoices,
    natural_return.net_after,
    gained.net_after as net_after_by_invoices,
    natural_return.net_before,
    gained.net_before as net_before_by_invoices,
    natural_return.sales_after_once,
    gained.sales_after_once as sales_after_once_by_invoices,
    natural_return.net_after_once,
    gained.net_after_once as net_after_once_by_invoices,
    natural_return.net_before_once,
    gained.net_before_once as net_before_once_by_invoices
from natural_return
full join gained
    on natural_return.segment = gained.segment
    and natural_return.snapshot_date = gained.snapshot_date
    and natural_return.months = gained.months
where
    natural_return.customers is distinct from gained.customers
    or natural_return.came_back is distinct from gained.came_back
    or natural_return.sales_after is distinct from gained.sales_after
    or natural_return.net_after is distinct from gained.net_after
    or natural_return.net_before is distinct from gained.net_before
    or natural_return.sales_after_once is distinct from gained.sales_after_once
    or natural_return.net_after_once is distinct from gained.net_after_once
    or natural_return.net_before_once is distinct from gained.net_before_once
