-- What can be added up comes from the months; an invoice or a customer may be in several of them.
with months as (
    select
        code,
        sum(lines) as lines,
        sum(net_sales) as net_sales,
        sum(units_sold) as units_sold,
        sum(sales) as sales,
        sum(return_lines) as return_lines,
        sum(units_returned) as units_returned,
        sum(returned) as returned
    from product_months
    group by code
),

buyers as (
    select
        stock_codes.code,
        count(distinct clean_invoices.invoice_no) as invoices,
        count(distinct clean_invoices.customer_id) as customers
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product and is_sold
    group by stock_codes.code
),

lines as (
    select
        months.code,
        cast(months.lines as bigint) as lines,
        months.net_sales,
        coalesce(buyers.invoices, 0) as invoices,
        coalesce(buyers.customers, 0) as customers,
        cast(months.units_sold as bigint) as units_sold,
        months.sales,
        cast(months.return_lines as bigint) as return_lines,
        cast(months.units_returned as bigint) as units_returned,
        months.returned
    from months
    left join buyers on months.code = buyers.code
),

matched as (
    select code, sum(units_matched) as units_returned_matched, sum(amount_matched) as returned_matched
    from returns
    where is_product
    group by code
),

ranked as (
    select
        lines.*,
        case when sales > 0 then row_number() over (order by sales desc, code) end as sales_rank,
        sum(sales) over (order by sales desc, code rows between unbounded preceding and current row) as running_sales,
        sum(sales) over () as all_sales
    from lines
)

select
    ranked.code,
    named.description,
    ranked.lines,
    ranked.net_sales,
    ranked.invoices,
    ranked.customers,
    ranked.units_sold,
    ranked.sales,
    ranked.return_lines,
    ranked.units_returned,
    ranked.returned,
    coalesce(matched.units_returned_matched, 0) as units_returned_matched,
    coalesce(matched.returned_matched, 0) as returned_matched,
    round(1.0 * ranked.units_returned / nullif(ranked.units_sold, 0), 6) as return_rate_units,
    round(ranked.returned / nullif(ranked.sales, 0), 6) as return_rate_sales,
    round(coalesce(matched.returned_matched, 0) / nullif(ranked.sales, 0), 6) as return_rate_sales_matched,
    ranked.sales_rank,
    case when ranked.sales > 0 then round(ranked.sales / ranked.all_sales, 6) end as sales_share,
    case when ranked.sales > 0 then round(ranked.running_sales / ranked.all_sales, 6) end as cumulative_share,
    case
        when ranked.sales = 0 then null
        when 100 * (ranked.running_sales - ranked.sales) < 80 * ranked.all_sales then 'A'
        when 100 * (ranked.running_sales - ranked.sales) < 95 * ranked.all_sales then 'B'
        else 'C'
    end as abc_class
from ranked
inner join (select distinct code, description from stock_codes) as named on ranked.code = named.code
left join matched on ranked.code = matched.code
