-- No destination held a customer of a control group, through any audience, while their purchases counted and the
-- experiment ran.
-- warning
select experiment, customer_id, destination, audience, reached_at
from exposures
where arm = 'control' and period = 'while it ran'
