-- Where the last three whole months, and the same months of the year before, are there, the products' sales in both are
-- those in product_months, to the unit and to the penny.
-- error
with whole_months as (
    select invoice_month, row_number() over (order by invoice_month desc) as age
    from monthly_metrics
    where not is_partial
),

span as (
    select min(recent.invoice_month) as first_month, max(recent.invoice_month) as last_month
    from whole_months as recent
    inner join whole_months as earlier on earlier.invoice_month = recent.invoice_month - interval '1 year'
    where recent.age <= 3
    having count(*) = 3 and max(recent.invoice_month) = min(recent.invoice_month) + interval '2 months'
),

sold as (
    select
        coalesce(sum(case when invoice_month >= first_month then units_sold_once end), 0) as units,
        coalesce(sum(case when invoice_month < first_month then units_sold_once end), 0) as units_before,
        coalesce(sum(case when invoice_month >= first_month then sales_once end), 0) as sales,
        coalesce(sum(case when invoice_month < first_month then sales_once end), 0) as sales_before
    from product_months
    inner join span
        on invoice_month between first_month and last_month
        or invoice_month between first_month - interval '1 year' and last_month - interval '1 year'
),

moved as (
    select
        coalesce(sum(units), 0) as units,
        coalesce(sum(units_before), 0) as units_before,
        coalesce(sum(sales), 0) as sales,
        coalesce(sum(sales_before), 0) as sales_before
    from product_movers
)

select
    moved.*,
    sold.units as units_of_months,
    sold.units_before as units_of_months_before,
    sold.sales as sales_of_months,
    sold.sales_before as sales_of_months_before
from moved
cross join sold
where
    moved.units <> sold.units
    or moved.units_before <> sold.units_before
    or moved.sales <> sold.sales
    or moved.sales_before <> sold.sales_before
