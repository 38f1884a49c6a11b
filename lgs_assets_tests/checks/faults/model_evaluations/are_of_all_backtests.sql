insert into value_backtests values (182, '2011-03-01', 101, '2011-03-02', 0, 1, 2, 0.9, 0, 1, 2, 0, 0, 0, 0)
