insert into charges values ('POST', 1, 0, 0, 0)
