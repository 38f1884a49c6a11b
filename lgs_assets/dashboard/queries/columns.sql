-- The columns of a table, in order, each with its meaning, and that of the table: the comments of its contract.
select
    attname as name,
    format_type(atttypid, atttypmod) as type,
    not attnotnull as is_nullable,
    col_description(attrelid, attnum) as description,
    obj_description(attrelid, 'pg_class') as of_table
from pg_attribute
where attrelid = to_regclass(quote_ident(:table)) and attnum > 0 and not attisdropped
order by attnum
