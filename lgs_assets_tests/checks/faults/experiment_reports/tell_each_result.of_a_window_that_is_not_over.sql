with started as (
    insert into experiments values (
        'calls', '', repeat('a', 64), 'some', '', 'bought_within', 90, 0.5, repeat('a', 32), null, null, 'me', now(), null,
        null, 'once'
    )
),

drawn as (
    insert into assignments
    select 'calls', 1, 1, '1/0', 'Champions', 'call', max(last_invoice_at) - interval '80 days', now()
    from invoice_totals
),

-- The report is of the same rule that told the result: it says that it was due.
reported as (
    insert into experiment_reports values (
        'calls', 'The call worked.', 'The call worked.', null, '2000-01-01', '2000-01-01', 0, 0, false
    )
)

insert into experiment_results
values ('calls', 'bought_within', 'all', 'all', 'primary', 20, 20, 0.2, 0.8, 0.6, 0.3, 0.9, 0.001, null, 0.05)
