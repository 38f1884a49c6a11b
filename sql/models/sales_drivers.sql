-- Split by the logarithmic mean (LMDI): a factor's part is the mean of both months' sales, by L(a, b) = (a − b) ÷ ln(a ÷ b),
-- times the logarithm of its ratio. Logarithms are doubles; their parts are pence, and the price takes what is left.
with months as (
    select
        invoice_month,
        count(distinct case when sale_lines > 0 then customer_id end) as customers,
        count(distinct case when sale_lines > 0 then invoice_no end) as orders,
        sum(sale_units_once) as items,
        sum(sale_amount - second_copy_sale_amount) as sales,
        sum(case when customer_id is null then amount - second_copy_amount else 0 end) as guest_sales,
        sum(
            case
                when customer_id is null then 0
                else amount - second_copy_amount - sale_amount + second_copy_sale_amount
            end
        ) as returned,
        sum(amount - second_copy_amount) as net_sales
    from invoice_totals
    group by invoice_month
),

comparisons as (
    select invoice_month, 'month before' as comparison, invoice_month - interval '1 month' as compared_month from months
    union all
    select invoice_month, 'year before' as comparison, invoice_month - interval '1 year' as compared_month from months
),

compared as (
    select
        comparisons.comparison,
        earlier.invoice_month as compared_month,
        months.*,
        earlier.customers as customers_before,
        earlier.orders as orders_before,
        earlier.items as items_before,
        earlier.sales as sales_before,
        earlier.guest_sales as guest_sales_before,
        earlier.returned as returned_before,
        earlier.net_sales as net_sales_before,
        months.sales > 0 and earlier.sales > 0 as is_split
    from comparisons
    inner join months on comparisons.invoice_month = months.invoice_month
    inner join months as earlier on comparisons.compared_month = earlier.invoice_month
),

logarithms as (
    select
        compared.*,
        case when is_split then
            ln(cast(customers as double precision)) - ln(cast(customers_before as double precision))
        end as customers_log,
        case when is_split then
            ln(cast(orders as double precision)) - ln(cast(orders_before as double precision))
        end as orders_log,
        case when is_split then
            ln(cast(items as double precision)) - ln(cast(items_before as double precision))
        end as items_log,
        case when is_split then
            ln(cast(sales as double precision)) - ln(cast(sales_before as double precision))
        end as sales_log
    from compared
),

-- Where sales are all but equal, their logarithms differ by too little: there the mean is the plain one, to 13 digits.
-- Both sides of the quotient are given in billionths, since engines compute it in nine places.
means as (
    select
        logarithms.*,
        case
            when 1000000 * abs(sales - sales_before) < sales_before
                then 0.5 * cast(sales + sales_before as double precision)
            else cast(
                1000000000 * cast(sales - sales_before as double precision) / (1000000000 * sales_log)
                as double precision
            )
        end as sales_mean
    from logarithms
),

parts as (
    select
        means.*,
        case
            when is_split then cast(round(cast(sales_mean * customers_log as decimal(38, 6)), 2) as decimal(38, 6))
            else cast(sales - sales_before as decimal(38, 6))
        end as customers_effect,
        case
            when is_split then round(cast(sales_mean * (orders_log - customers_log) as decimal(38, 6)), 2)
            else 0
        end as orders_effect,
        case
            when is_split then round(cast(sales_mean * (items_log - orders_log) as decimal(38, 6)), 2)
            else 0
        end as items_effect
    from means
)

select
    parts.invoice_month,
    comparison,
    compared_month,
    recent.is_partial or earlier.is_partial as is_partial,
    customers,
    customers_before,
    orders,
    orders_before,
    items,
    items_before,
    parts.sales,
    sales_before,
    parts.net_sales,
    net_sales_before,
    parts.net_sales - net_sales_before as change,
    customers_effect,
    orders_effect,
    items_effect,
    parts.sales - sales_before - customers_effect - orders_effect - items_effect as price_effect,
    guest_sales - guest_sales_before as guests_effect,
    returned - returned_before as returns_effect
from parts
inner join monthly_metrics as recent on parts.invoice_month = recent.invoice_month
inner join monthly_metrics as earlier on parts.compared_month = earlier.invoice_month
