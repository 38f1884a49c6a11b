with taken as (
    select
        return_matches.invoice_no,
        return_matches.line_number,
        return_matches.units,
        sales.invoice_no as sale_invoice_no,
        sales.line_number as sale_line_number,
        sales.invoice_date as sold_at,
        sales.units as units_sold,
        sales.price_rank,
        row_number() over (
            partition by return_matches.invoice_no, return_matches.line_number order by sales.place desc
        ) as newness
    from return_matches
    inner join returnable_lines as sales
        on return_matches.sale_invoice_no = sales.invoice_no and return_matches.sale_line_number = sales.line_number
),

matched as (
    select
        invoice_no,
        line_number,
        count(*) as sales,
        sum(units) as units_matched,
        min(price_rank) as lowest_price_rank,
        max(price_rank) as highest_price_rank,
        max(units_sold) as most_units_sold,
        max(case when newness = 1 then sale_invoice_no end) as sale_invoice_no,
        max(case when newness = 1 then sale_line_number end) as sale_line_number,
        max(case when newness = 1 then sold_at end) as sold_at
    from taken
    group by invoice_no, line_number
),

first_sales as (
    select customer_id, min(first_sale_at) as first_sale_at, min(invoice_month) as first_month
    from invoice_totals
    where sale_lines > 0
    group by customer_id
),

beginning as (
    select min(invoice_month) as data_month
    from invoice_totals
),

lines as (
    select
        returnable_lines.*,
        min(case when not is_return then place end) over (partition by customer_id, code) as first_sale_place
    from returnable_lines
)

select
    returned.invoice_no,
    returned.line_number,
    returned.customer_id,
    returned.code,
    stock_codes.is_product,
    returned.invoice_date as returned_at,
    returned.units,
    returned.units * returned.unit_price as amount,
    case
        when matched.sales is null then 'no sale'
        when matched.units_matched < returned.units then 'only a part'
        when returned.price_rank <> matched.lowest_price_rank or returned.price_rank <> matched.highest_price_rank
            then 'another price'
        when matched.sales > 1 then 'several lines'
        when matched.most_units_sold > returned.units then 'part of a line'
        else 'whole line'
    end as match,
    coalesce(matched.units_matched, 0) as units_matched,
    coalesce(matched.units_matched, 0) * returned.unit_price as amount_matched,
    matched.sale_invoice_no,
    matched.sale_line_number,
    matched.sold_at,
    cast(extract(day from returned.invoice_date - matched.sold_at) as integer) as days_after,
    case
        when matched.units_matched = returned.units then null
        when coalesce(first_sales.first_sale_at > returned.invoice_date, true) then 'before the data'
        -- Who buys in the month that the data begins with has mostly bought before it.
        when
            stock_codes.is_product
            and first_sales.first_month = beginning.data_month
            and coalesce(first_sale_place > returned.place, true)
            then 'before the data'
        else 'no such sale'
    end as unmatched_reason
from lines as returned
cross join beginning
inner join (select distinct code, is_product from stock_codes) as stock_codes on returned.code = stock_codes.code
left join matched on returned.invoice_no = matched.invoice_no and returned.line_number = matched.line_number
left join first_sales on returned.customer_id = first_sales.customer_id
where returned.is_return
