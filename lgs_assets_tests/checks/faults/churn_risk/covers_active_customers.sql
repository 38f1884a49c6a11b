insert into churn_risk values
    (101, '2011-07-01', '2011-09-29', 'a model', 'Champions', 0.5, 'medium', 1, false, 'a', 'b', 'c', '2011-06-30', null, null, 1, 1)
