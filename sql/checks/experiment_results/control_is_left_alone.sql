-- No destination holds a customer of the control group of a running experiment, through any audience.
-- warning
select
    assignments.experiment,
    assignments.customer_id,
    destination_members.destination,
    destination_members.audience
from assignments
inner join experiments on assignments.experiment = experiments.experiment
inner join destination_members on assignments.customer_id = destination_members.customer_id
where assignments.arm = 'control' and experiments.stopped_at is null
