-- Charges add up to all lines that are not products, to the line and to the penny; and so does what was charged.
-- error
select *
from (
    select
        (select coalesce(sum(lines), 0) from charges) as lines,
        (select coalesce(sum(net_sales), 0) from charges) as net_sales,
        (select coalesce(sum(charged), 0) from charges) as charged,
        count(*) as lines_without_product,
        coalesce(sum(line_total), 0) as amount_without_product,
        coalesce(sum(case when line_total > 0 and not is_cancellation then line_total end), 0) as charged_on_lines
    from clean_invoices
    inner join stock_codes on clean_invoices.stock_code = stock_codes.stock_code
    where not stock_codes.is_product
) as totals
where lines <> lines_without_product or net_sales <> amount_without_product or charged <> charged_on_lines
