insert into expected_margins values ('total', 'All sales', '2011-07-01', 31, 10, 1, 0.5, 5, 5, 5)
