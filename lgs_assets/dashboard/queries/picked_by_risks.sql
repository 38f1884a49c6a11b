-- Read only where somebody asks for it: the table of predictions may not be there.
and customer_id in (select customer_id from churn_risk where band = any(cast(:risks as text[])))
