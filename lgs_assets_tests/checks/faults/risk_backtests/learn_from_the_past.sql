insert into risk_backtests values
    ('churn_risk', '2011-03-01', 101, '2011-03-02', 'Champions', 1, 0.5, 0.5, 1, 0.5, 0.5, true, null, null, null)
