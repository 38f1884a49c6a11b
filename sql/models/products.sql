with lines as (
    select
        stock_codes.code,
        count(*) as lines,
        sum(clean_invoices.line_total) as net_sales,
        count(distinct case when is_sold then invoice_no end) as invoices,
        count(distinct case when is_sold then customer_id end) as customers,
        sum(case when is_sold then quantity else 0 end) as units_sold,
        sum(case when is_sold then line_total else 0 end) as sales,
        count(case when is_cancellation and quantity < 0 then 1 end) as return_lines,
        sum(case when is_cancellation and quantity < 0 then -quantity else 0 end) as units_returned,
        sum(case when is_cancellation and quantity < 0 then -line_total else 0 end) as returned
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product
    group by stock_codes.code
),

wordings as (
    select
        stock_codes.code,
        trim(both ' ' from clean_invoices.description) as description,
        count(case when is_sold then 1 end) as sale_lines,
        count(*) as lines
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where stock_codes.is_product and clean_invoices.description is not null
    group by stock_codes.code, trim(both ' ' from clean_invoices.description)
),

descriptions as (
    select
        code,
        description,
        row_number() over (
            partition by code order by sale_lines desc, case when sale_lines = 0 then -lines else 0 end, description
        ) as place
    from wordings
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
    descriptions.description,
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
left join descriptions on ranked.code = descriptions.code and descriptions.place = 1
left join matched on ranked.code = matched.code
