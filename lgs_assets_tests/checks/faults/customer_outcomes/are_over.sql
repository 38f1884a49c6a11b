insert into customer_outcomes (as_of, customer_id, bought_90, next_day, purchase_days_90, sales_90)
select as_of, 101, true, as_of, 1, 1 from prediction_terms
