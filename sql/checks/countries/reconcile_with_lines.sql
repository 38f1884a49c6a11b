-- The countries add up to all lines, guests included: their number, net sales, sales and returns, to the penny.
-- error
select *
from (
    select
        (select coalesce(sum(lines), 0) from countries) as lines,
        (select coalesce(sum(net_sales), 0) from countries) as net_sales,
        (select coalesce(sum(sales), 0) from countries) as sales,
        (select coalesce(sum(returned), 0) from countries) as returned,
        count(*) as all_lines,
        coalesce(sum(line_total), 0) as amount_of_lines,
        coalesce(sum(case when is_sale then line_total end), 0) as sales_of_lines,
        coalesce(sum(case when is_cancellation then -line_total end), 0) as returned_of_lines
    from clean_invoices
) as totals
where lines <> all_lines or net_sales <> amount_of_lines or sales <> sales_of_lines or returned <> returned_of_lines
