insert into margins values ('country', 'Atlantis', '2011-03-01', 1, 1, 0, 0, 0, 0, null)
