insert into natural_return values ('Champions', '2011-05-01', 3, 20, 0, 0, 0, null, 0, 0, null)
