insert into destination_members values ('drop', 'some', 999, '', 1, now())
