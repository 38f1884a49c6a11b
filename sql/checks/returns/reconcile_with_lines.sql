-- What customers returned is the sum of their cancelled lines, to the line and to the penny.
-- error
select *
from (
    select
        (select count(*) from returns) as lines,
        (
            select count(*) from clean_invoices where is_cancellation and quantity < 0 and customer_id is not null
        ) as lines_cancelled,
        (select coalesce(sum(amount), 0) from returns) as amount,
        (
            select coalesce(-sum(line_total), 0)
            from clean_invoices
            where is_cancellation and quantity < 0 and customer_id is not null
        ) as amount_cancelled
) as totals
where lines <> lines_cancelled or amount <> amount_cancelled
