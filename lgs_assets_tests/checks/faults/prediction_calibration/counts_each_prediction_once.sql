insert into prediction_calibration values ('risk', '2011-01-01', 3, 40, 0.35, 0.3)
