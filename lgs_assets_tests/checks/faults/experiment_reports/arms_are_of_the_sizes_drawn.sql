insert into experiment_reports values (
    'calls', 'No result.', 'No result.', null, '2012-04-30', '2012-04-01', 0, 0, true
)
