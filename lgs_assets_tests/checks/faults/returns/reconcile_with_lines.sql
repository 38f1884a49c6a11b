insert into returns values ('C1', 1, 101, '22041', true, '2011-03-04', 1, 1, 'no sale', 0, 0, null, null, null, null, 'no such sale')
