insert into returnable_lines values ('C1', 1, 101, '22041', '2011-03-04', 99, true, 1, 1, 1)
