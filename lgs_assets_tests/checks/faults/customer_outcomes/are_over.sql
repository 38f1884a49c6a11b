insert into customer_outcomes (as_of, customer_id, bought_90) select as_of, 101, true from prediction_terms
