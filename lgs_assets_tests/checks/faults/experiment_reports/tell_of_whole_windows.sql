insert into experiment_reports values (
    'calls', 'Not due yet.', 'Not due yet.', null, '2012-04-30', '2012-04-01', 0, 0, false, '2012-02-01', '2012-02-29'
)
