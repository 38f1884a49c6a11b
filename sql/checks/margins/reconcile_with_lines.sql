-- Once there are unit costs, units, sales, sales with a known cost, and cost of each product and month are those of the
-- lines that sold it, each at the latest cost up to its day, doubled invoices once.
-- error
with days as (
    select
        code,
        invoice_month,
        cast(invoice_date as date) as day,
        sum(quantity) as units,
        sum(line_total) as sales
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where
        is_product
        and is_sold
        and not is_second_copy
        and exists (select 1 from unit_costs)
    group by code, invoice_month, cast(invoice_date as date)
),

valid as (
    select days.code, day, max(valid_from) as valid_from
    from days
    inner join unit_costs on days.code = unit_costs.code and day >= valid_from
    group by days.code, day
),

wanted as (
    select
        days.code,
        invoice_month,
        sum(units) as units,
        sum(sales) as sales,
        sum(case when unit_cost is null then 0 else sales end) as known_sales,
        sum(coalesce(units * unit_cost, 0)) as cost
    from days
    left join valid on days.code = valid.code and days.day = valid.day
    left join unit_costs on valid.code = unit_costs.code and valid.valid_from = unit_costs.valid_from
    group by days.code, invoice_month
),

found as (
    select member as code, invoice_month, units, sales, known_sales, cost
    from margins
    where dimension = 'product'
)

select
    coalesce(found.code, wanted.code) as code,
    coalesce(found.invoice_month, wanted.invoice_month) as invoice_month,
    found.units,
    wanted.units as units_wanted,
    found.sales,
    wanted.sales as sales_wanted,
    found.known_sales,
    wanted.known_sales as known_sales_wanted,
    found.cost,
    wanted.cost as cost_wanted
from found
full join wanted on found.code = wanted.code and found.invoice_month = wanted.invoice_month
where
    found.units is distinct from wanted.units
    or found.sales is distinct from wanted.sales
    or found.known_sales is distinct from wanted.known_sales
    or found.cost is distinct from wanted.cost
