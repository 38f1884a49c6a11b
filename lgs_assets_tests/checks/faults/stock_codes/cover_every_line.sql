insert into stock_codes values ('99999X', '99999X', true)
