with objected as (
    insert into marketing_exclusions values (998, 'objected', now()) returning customer_id
)

insert into destination_members select 'drop', 'some', customer_id, '', 1, now() from objected
