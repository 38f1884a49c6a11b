insert into experiment_results values ('calls', 'bought_within', 'all', 'all', 'secondary', 20, 20, 0.2, 0.8, 0.6, 0.3, 0.9, 0.001, 0.001, 0.05)
