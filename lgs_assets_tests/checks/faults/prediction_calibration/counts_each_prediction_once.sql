insert into prediction_calibration values ('risk', 3, 40, 0.35, 0.3, 4, '2011-01-01', '2011-10-01')
