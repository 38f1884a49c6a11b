insert into value_backtests values ('2011-03-01', 101, '2011-03-02', 0, 1, 2, 1, 0, 0, 0, 0)
