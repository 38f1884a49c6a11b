with costs as (
    select
        code,
        valid_from,
        lead(valid_from) over (partition by code order by valid_from) as valid_until,
        unit_cost
    from unit_costs
),

sold as (
    select
        clean_invoices.invoice_month,
        stock_codes.code,
        country,
        coalesce(
            segments.segment, case when clean_invoices.customer_id is null then '(guests)' else '(no sale yet)' end
        ) as segment,
        case when clean_invoices.customer_id is null then '(guests)' else concat(clean_invoices.customer_id, '') end
            as customer,
        quantity,
        line_total,
        quantity * unit_cost as cost
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    left join segments on clean_invoices.customer_id = segments.customer_id
    left join costs
        on stock_codes.code = costs.code
        and cast(invoice_date as date) >= valid_from
        and (cast(invoice_date as date) < valid_until or valid_until is null)
    where
        is_product
        and is_sold
        and not is_second_copy
        and exists (select 1 from unit_costs)
),

totals as (
    select 'product' as dimension, code as member, invoice_month, quantity, line_total, cost
    from sold
    union all
    select 'country', country, invoice_month, quantity, line_total, cost
    from sold
    union all
    select 'segment', segment, invoice_month, quantity, line_total, cost
    from sold
    union all
    select 'customer', customer, invoice_month, quantity, line_total, cost
    from sold
),

margins as (
    select
        dimension,
        member,
        invoice_month,
        sum(quantity) as units,
        sum(line_total) as sales,
        sum(case when cost is null then 0 else line_total end) as known_sales,
        sum(coalesce(cost, 0)) as cost
    from totals
    group by dimension, member, invoice_month
)

select
    margins.*,
    known_sales - cost as margin,
    round(known_sales / sales, 6) as known_share,
    round(100 * (known_sales - cost) / nullif(known_sales, 0), 6) as margin_pct
from margins
