-- The last three whole months, and the same months of the year before. Both must be complete.
with whole_months as (
    select invoice_month, row_number() over (order by invoice_month desc) as age
    from monthly_metrics
    where not is_partial
),

compared as (
    select recent.invoice_month, earlier.invoice_month as invoice_month_before
    from whole_months as recent
    inner join whole_months as earlier on earlier.invoice_month = recent.invoice_month - interval '1 year'
    where recent.age <= 3
),

span as (
    select min(invoice_month) as first_month, max(invoice_month) as last_month
    from compared
    having count(*) = 3 and max(invoice_month) = min(invoice_month) + interval '2 months'
),

sold as (
    select code, units_sold_once as units, sales_once as sales, 0 as units_before, 0 as sales_before
    from product_months
    inner join compared on product_months.invoice_month = compared.invoice_month
    union all
    select code, 0 as units, 0 as sales, units_sold_once as units_before, sales_once as sales_before
    from product_months
    inner join compared on product_months.invoice_month = compared.invoice_month_before
),

totals as (
    select
        code,
        sum(units) as units,
        sum(units_before) as units_before,
        sum(sales) as sales,
        sum(sales_before) as sales_before
    from sold
    group by code
    having sum(units) > 0 or sum(units_before) > 0
),

lives as (
    select code, min(invoice_month) as first_sold, max(invoice_month) as last_sold
    from product_months
    where units_sold_once > 0
    group by code
)

select
    totals.code,
    span.first_month,
    span.last_month,
    totals.units,
    totals.units_before,
    totals.sales,
    totals.sales_before,
    totals.sales - totals.sales_before as sales_change,
    round(100 * (totals.sales - totals.sales_before) / nullif(totals.sales_before, 0), 6) as sales_change_pct,
    case
        when totals.units_before = 0 and lives.first_sold > span.last_month - interval '1 year' then 'new'
        when totals.units_before = 0 then 'back'
        when totals.units = 0 and lives.last_sold < span.first_month then 'left'
        when totals.units = 0 then 'paused'
        when totals.sales > totals.sales_before then 'up'
        when totals.sales < totals.sales_before then 'down'
        else 'level'
    end as movement,
    row_number() over (order by totals.sales - totals.sales_before desc, totals.code) as change_rank
from totals
inner join lives on totals.code = lives.code
cross join span
