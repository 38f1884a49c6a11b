with placed as (
    select
        coalesce(
            segments.segment,
            case when invoice_totals.customer_id is null then '(guests)' else '(no sale yet)' end
        ) as segment,
        invoice_totals.*
    from invoice_totals
    left join segments on invoice_totals.customer_id = segments.customer_id
)

select
    segment,
    invoice_month,
    country,
    count(distinct case when sale_lines > 0 then customer_id end) as customers,
    count(distinct case when sale_lines > 0 then invoice_no end) as orders,
    sum(sale_amount) as sales,
    sum(sale_amount - second_copy_sale_amount) as sales_once,
    sum(amount) as net_sales,
    sum(amount - second_copy_amount) as net_sales_once
from placed
group by segment, invoice_month, country
