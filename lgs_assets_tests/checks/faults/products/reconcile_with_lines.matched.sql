insert into returns values ('C1', 1, 101, '22041', true, '2011-03-04', 1, 1, 'whole line', 1, 1, '101-0', 1, '2011-03-04', 0, null)
