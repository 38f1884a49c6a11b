insert into exposures values ('calls', 1, 'control', 'drop', 'some', now())
