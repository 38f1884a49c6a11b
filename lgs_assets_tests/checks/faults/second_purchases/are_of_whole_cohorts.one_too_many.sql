insert into second_purchases values ('2011-03-01', 90, 20, 0, 0, true)
