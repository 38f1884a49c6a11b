with purchase_days as (
    select
        customer_id,
        invoice_day as day,
        min(first_sale_at) as first_sale_at,
        max(last_sale_at) as last_sale_at,
        row_number() over (partition by customer_id order by invoice_day) as place,
        cast(extract(
            day from
            cast(invoice_day as timestamp)
            - cast(lag(invoice_day) over (partition by customer_id order by invoice_day) as timestamp)
        ) as integer) as gap
    from invoice_totals
    where sale_lines > 0
    group by customer_id, invoice_day
),

countries as (
    select
        customer_id,
        country,
        row_number() over (
            partition by customer_id order by sum(sale_amount) desc, max(last_sale_at) desc, country
        ) as place
    from invoice_totals
    where sale_lines > 0
    group by customer_id, country
),

buyers as (
    select
        customer_id,
        min(first_sale_at) as first_sale_at,
        max(last_sale_at) as last_sale_at,
        max(case when place = 2 then day end) as second_day,
        count(*) as purchase_days
    from purchase_days
    group by customer_id
),

placed_gaps as (
    select
        customer_id,
        gap,
        row_number() over (partition by customer_id order by gap, day) as place,
        count(*) over (partition by customer_id) as gaps
    from purchase_days
    where gap is not null
),

typical_gaps as (
    select customer_id, avg(case when 2 * place between gaps and gaps + 2 then gap end) as typical_gap_days
    from placed_gaps
    group by customer_id
),

orders as (
    select customer_id, invoice_no, sum(sale_amount) as amount
    from invoice_totals
    where sale_lines > 0
    group by customer_id, invoice_no
),

placed_orders as (
    select
        customer_id,
        amount,
        row_number() over (partition by customer_id order by amount, invoice_no) as place,
        count(*) over (partition by customer_id) as orders
    from orders
),

typical_orders as (
    select
        customer_id,
        max(orders) as orders,
        avg(case when 2 * place between orders and orders + 2 then amount end) as typical_order
    from placed_orders
    group by customer_id
),

totals as (
    select
        customer_id,
        sum(sale_amount) as sales,
        sum(case when is_cancellation then -amount else 0 end) as returns,
        sum(amount) as net_revenue
    from invoice_totals
    where customer_id is not null
    group by customer_id
)

select
    buyers.customer_id,
    buyers.first_sale_at,
    buyers.last_sale_at,
    cast(date_trunc('month', buyers.first_sale_at) as date) as cohort_month,
    date_trunc('month', buyers.first_sale_at) = (select min(invoice_month) from invoice_totals) as is_first_seen,
    countries.country,
    typical_orders.orders,
    buyers.purchase_days,
    buyers.second_day as second_purchase_day,
    totals.sales,
    totals.returns,
    totals.net_revenue,
    round(100 * totals.net_revenue / totals.sales, 6) as kept_pct,
    typical_orders.typical_order,
    typical_gaps.typical_gap_days
from buyers
inner join countries on buyers.customer_id = countries.customer_id and countries.place = 1
inner join typical_orders on buyers.customer_id = typical_orders.customer_id
inner join totals on buyers.customer_id = totals.customer_id
left join typical_gaps on buyers.customer_id = typical_gaps.customer_id
