with started as (
    insert into experiments values (
        'calls', '', repeat('a', 64), 'some', '', 'orders', 90, 0.5, repeat('a', 32), null, null, 'me', now(), null, null,
        'once'
    )
),

drawn as (
    insert into assignments
    select 'calls', customer_id, 1, '1/0', 'Champions', case when customer_id > 100 then 'control' else 'call' end, now(), now()
    from generate_series(1, 120) as customer_id
),

planned as (
    insert into activation_plans (
        destination, audience, audience_version, publication, adds, updates, removes, left_out, held_before, digest, state,
        made_by, made_at, ended_at
    )
    values ('drop', 'some', '', '', 2, 0, 0, '{}', 0, repeat('0', 64), 'applied', 'me', now(), now())
    returning plan
),

left_out as (
    insert into held_out
    select 'calls', customer_id, planned.plan
    from planned
    cross join generate_series(101, 120) as customer_id
)

insert into exposures
select 'calls', customer_id, 'call', 'drop', 'some', 'while it ran', now()
from generate_series(1, 2) as customer_id
