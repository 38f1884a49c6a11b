-- Once there are unit costs, units, sales, sales with a known cost, and cost of each product and month are those of the
-- lines that sold it, each at the latest cost up to its day, doubled invoices once.
-- error
with periods as (
    select
        costs.code,
        cast(costs.valid_from as timestamp) as valid_from,
        cast(min(later.valid_from) as timestamp) as ends_before,
        costs.unit_cost
    from unit_costs as costs
    left join unit_costs as later on costs.code = later.code and costs.valid_from < later.valid_from
    group by costs.code, costs.valid_from, costs.unit_cost
),

wanted as (
    select
        stock_codes.code,
        invoice_month,
        sum(quantity) as units,
        sum(line_total) as sales,
        sum(case when unit_cost is null then 0 else line_total end) as known_sales,
        sum(coalesce(quantity * unit_cost, 0)) as cost
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    left join periods
        on stock_codes.code = periods.code
        and invoice_date >= valid_from
        and (ends_before is null or invoice_date < ends_before)
    where
        is_product
        and is_sold
        and not is_second_copy
        and exists (select 1 from unit_costs)
    group by stock_codes.code, invoice_month
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
