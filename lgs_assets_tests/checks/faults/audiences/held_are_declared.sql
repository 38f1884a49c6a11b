insert into destination_members values ('drop', 'of_no_file', 1, '', 1, now())
