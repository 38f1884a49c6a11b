-- Where the last three whole months, and the same months of the year before, are there, each product's sales in both are
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
        code,
        first_month,
        last_month,
        sum(case when invoice_month >= first_month then units_sold_once else 0 end) as units,
        sum(case when invoice_month < first_month then units_sold_once else 0 end) as units_before,
        sum(case when invoice_month >= first_month then sales_once else 0 end) as sales,
        sum(case when invoice_month < first_month then sales_once else 0 end) as sales_before
    from product_months
    inner join span
        on invoice_month between first_month and last_month
        or invoice_month between first_month - interval '1 year' and last_month - interval '1 year'
    group by code, first_month, last_month
    having sum(units_sold_once) > 0
)

select
    code,
    moved.units,
    sold.units as units_of_months,
    moved.units_before,
    sold.units_before as units_of_months_before,
    moved.sales,
    sold.sales as sales_of_months,
    moved.sales_before,
    sold.sales_before as sales_of_months_before
from product_movers as moved
full join sold using (code, first_month, last_month)
where
    moved.units is distinct from sold.units
    or moved.units_before is distinct from sold.units_before
    or moved.sales is distinct from sold.sales
    or moved.sales_before is distinct from sold.sales_before
