-- The columns of a table, in order, each with its meaning, and that of the table: the comments of its contract.
-- The table is found by its name, not by to_regclass, which knows one that has replaced it since this snapshot was taken.
select
    attname as name,
    format_type(atttypid, atttypmod) as type,
    not attnotnull as is_nullable,
    col_description(attrelid, attnum) as description,
    obj_description(attrelid, 'pg_class') as of_table
from pg_attribute
inner join pg_class
    on attrelid = pg_class.oid
where
    relname = :table
    and relnamespace = (select oid from pg_namespace where nspname = current_schema())
    and attnum > 0
    and not attisdropped
order by attnum
