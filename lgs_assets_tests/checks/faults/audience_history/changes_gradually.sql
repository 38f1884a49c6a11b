insert into audience_history values ('call_list', '2999-01-01', 0, 40, 60)
