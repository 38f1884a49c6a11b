insert into experiments values (
    'calls', 'days = 30', encode(sha256('days = 90'), 'hex'), 'some', '', 'orders', 90, 0.5, repeat('a', 32), null, null,
    'me', now(), null, null, 'once'
)
