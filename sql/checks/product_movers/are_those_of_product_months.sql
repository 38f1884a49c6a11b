-- The products' sales in both periods are those in product_months for these months, to the unit and to the penny.
-- error
select *
from (
    select
        (select sum(units) from product_movers) as units,
        (select sum(sales) from product_movers) as sales,
        (select sum(sales_before) from product_movers) as sales_before,
        sum(case when invoice_month between first_month and last_month then units_sold_once end) as units_of_months,
        sum(case when invoice_month between first_month and last_month then sales_once end) as sales_of_months,
        sum(case
            when invoice_month between first_month - interval '1 year' and last_month - interval '1 year' then sales_once
        end) as sales_of_months_before
    from product_months
    cross join (select distinct first_month, last_month from product_movers) as span
) as totals
where units <> units_of_months or sales <> sales_of_months or sales_before <> sales_of_months_before
