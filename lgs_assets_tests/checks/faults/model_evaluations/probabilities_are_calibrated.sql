insert into model_evaluations values
    ('churn_risk, all', 'a model', 'pooled', 'calibration_error', 'back-test', 0.07, null, null, 9, 'recency', null, null, null, null, null, true, null)
