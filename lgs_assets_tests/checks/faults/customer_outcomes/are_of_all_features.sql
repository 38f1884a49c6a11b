insert into customer_outcomes (as_of, customer_id) values ('2011-04-01', 101)
