-- Who of each experiment was reached: told to a destination as a member of its audience since the arm was drawn, or held
-- there. One row an experiment, customer and destination. Read as it stands: plans are applied between builds.
select
    assignments.experiment,
    assignments.customer_id,
    assignments.arm,
    told.destination,
    min(told.reached_at) as reached_at
from assignments
inner join experiments on assignments.experiment = experiments.experiment
inner join (
    select
        activation_plans.audience,
        activation_plans.destination,
        activation_changes.customer_id,
        activation_changes.answered_at as reached_at,
        false as is_held
    from activation_changes
    inner join activation_plans on activation_changes.plan = activation_plans.plan
    where activation_changes.operation <> 'remove' and activation_changes.state = 'accepted'
    union all
    select audience, destination, customer_id, confirmed_at, true
    from destination_members
) as told
    on experiments.audience = told.audience and assignments.customer_id = told.customer_id
where told.is_held or told.reached_at >= assignments.assigned_at
group by assignments.experiment, assignments.customer_id, assignments.arm, told.destination
