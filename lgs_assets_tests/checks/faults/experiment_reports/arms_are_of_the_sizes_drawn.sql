with started as (
    insert into experiments values (
        'calls', '', repeat('a', 64), 'some', '', 'orders', 90, 0.5, repeat('a', 32), null, null, 'me', now(), null, null,
        'once'
    )
),

-- As many in each arm, but of the control group the data knows one only.
drawn as (
    select customer_id, case when row_number() over (order by customer_id) = 1 then 'control' else 'call' end as arm
    from customer_profile
    union all
    select 900000 + generate_series(3, cast(count(*) as integer)), 'control'
    from customer_profile
)

insert into assignments
select 'calls', customer_id, 1, '1/0', 'Champions', arm, '2011-07-01', now()
from drawn
