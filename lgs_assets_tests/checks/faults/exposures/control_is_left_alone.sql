insert into exposures values ('calls', 1, 'control', 'drop', 'some', 'while it ran', now())
