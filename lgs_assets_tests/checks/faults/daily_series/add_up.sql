insert into daily_series values ('country', 'France', '2011-03-04', 1)
