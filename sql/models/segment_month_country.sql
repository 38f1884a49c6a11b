with invoices as (
    select
        country,
        invoice_month,
        customer_id,
        invoice_no,
        sum(line_total) as net_sales,
        sum(case when is_second_copy then 0 else line_total end) as net_sales_once,
        count(case when is_sale then 1 end) as sale_lines,
        sum(case when is_sale then line_total else 0 end) as sales,
        sum(case when is_sale and not is_second_copy then line_total else 0 end) as sales_once
    from clean_invoices
    group by country, invoice_month, customer_id, invoice_no
),

placed as (
    select
        coalesce(
            segments.segment, case when invoices.customer_id is null then '(guests)' else '(no sale yet)' end
        ) as segment,
        invoices.*
    from invoices
    left join segments on invoices.customer_id = segments.customer_id
)

select
    segment,
    invoice_month,
    country,
    count(distinct case when sale_lines > 0 then customer_id end) as customers,
    count(distinct case when sale_lines > 0 then invoice_no end) as orders,
    sum(sales) as sales,
    sum(sales_once) as sales_once,
    sum(net_sales) as net_sales,
    sum(net_sales_once) as net_sales_once
from placed
group by segment, invoice_month, country
