-- No destination holds a customer of the control group of a running experiment through its audience.
-- warning
select assignments.experiment, assignments.customer_id, destination_members.destination
from assignments
inner join experiments on assignments.experiment = experiments.experiment
inner join destination_members
    on assignments.customer_id = destination_members.customer_id
    and experiments.audience = destination_members.audience
where assignments.arm = 'control' and experiments.stopped_at is null
