-- No destination holds anybody by our doing who objected, was forgotten, or is of the control group of a running experiment:
-- the night removes the former, and the next plan the latter. Only plans can tell who declined, or whose address is suppressed.
-- warning
select
    destination_members.destination,
    destination_members.audience,
    destination_members.customer_id,
    barred.reason
from destination_members
inner join (
    select customer_id, reason from marketing_exclusions
    union all
    select assignments.customer_id, 'control group'
    from assignments
    inner join experiments on assignments.experiment = experiments.experiment
    where assignments.arm = 'control' and experiments.stopped_at is null
) as barred on destination_members.customer_id = barred.customer_id
