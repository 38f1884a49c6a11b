insert into charges values ('POST', null, 1, 0, 0, 0)
