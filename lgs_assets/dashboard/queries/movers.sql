-- The products that gained and lost most in the last three whole months, against the year before.
select
    code, products.description, first_month, last_month, movers.units, movers.sales, movers.sales_before, sales_change,
    sales_change_pct, movement, sales_change > 0 as is_gain
from product_movers as movers
left join products using (code)
where change_rank <= 8 or change_rank > (select count(*) - 8 from product_movers)
order by change_rank
