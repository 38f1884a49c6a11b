insert into model_evaluations values
    ('slipping, all', 'fewest orders', 'pooled', 'auc', 'back-test', 0.7, null, null, 9, 'fewest orders', null, null, null, null, null, true, null)
