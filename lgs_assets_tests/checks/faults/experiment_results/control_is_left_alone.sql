with started as (
    insert into experiments values (
        'calls', '', repeat('a', 64), 'some', '', 'orders', 90, 0.5, repeat('a', 32), null, null, 'me', now(), null, null
    )
),

reached as (
    insert into destination_members values ('drop', 'some', 1, '', 1, now())
)

insert into assignments values ('calls', 1, 1, '1/0', 'Champions', 'control', '2011-07-01', now())
