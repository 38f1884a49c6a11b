insert into return_matches values ('C1', 1, '101-0', 1, 1)
