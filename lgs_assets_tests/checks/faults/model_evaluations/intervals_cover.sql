insert into model_evaluations values
    ('forecasts, all', 'a model', 'pooled', 'coverage_80', 'back-test', 0.5, null, null, 10, null, null, null, null, null, null, true, null),
    ('forecasts, all', 'a model', 'pooled', 'coverage_95', 'back-test', 0.8, null, null, 10, null, null, null, null, null, null, true, null),
    ('customer_value, all', 'a model', 'pooled', 'coverage_80_sales', 'back-test', 0.7, null, null, 10, null, null, null, null, null, null, true, null)
