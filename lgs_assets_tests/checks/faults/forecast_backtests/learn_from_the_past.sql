insert into forecast_backtests values
    ('total', 'All sales', 'month', 3, '2011-03-01', '2011-03-01', 'last month', true, false, 1, 1, null, null, null, null, '2011-03-02')
