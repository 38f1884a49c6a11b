insert into model_evaluations values
    ('forecasts, all', 'a model', 'pooled', 'coverage_80', 'back-test', 0.5, null, null, 9, null, null, null, true, null)
