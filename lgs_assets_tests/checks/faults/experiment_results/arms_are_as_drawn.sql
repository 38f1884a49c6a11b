with started as (
    insert into experiments values (
        'calls', '', repeat('a', 64), 'some', '', 'orders', 90, 0.5, repeat('a', 32), null, null, 'me', now(), null, null,
        'once'
    )
)

insert into assignments
select
    'calls', customer_id, 1, '1/0', 'Champions',
    case row_number() over (order by sha256(convert_to(concat(repeat('a', 32), ':', customer_id), 'UTF8')))
        when 1 then 'control' else 'call'
    end,
    '2011-07-01', now()
from generate_series(1, 2) as customer_id
