insert into logged_predictions values ('slipping', '2011-07-01', 'a model', 'a version', 1, now(), '2011-10-01')
