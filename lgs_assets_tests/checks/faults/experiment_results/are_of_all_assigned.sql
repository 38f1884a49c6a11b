insert into experiment_results values ('calls', 'orders', 'all', 'all', 'primary', 2, 2, 1, 1, 0, -1, 1, 1, null, 0.05)
