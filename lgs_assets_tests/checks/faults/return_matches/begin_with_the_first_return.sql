insert into returnable_lines values
    ('1', 1, 101, '22041', '2011-03-04', 1, false, 1, 1, 1),
    ('C2', 2, 101, '22041', '2011-03-05', 2, true, 1, 1, 1)
