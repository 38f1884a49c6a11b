-- The treated whom lists reached, or tools rejected, and those of the control group whom they would have been told of, are
-- no further from their shares than chance puts them once in a thousand draws: otherwise something between the draw and the
-- list took customers out of one arm.
-- warning
select
    experiments.experiment,
    reached.customers as reached,
    left_out.customers as left_out,
    (reached.customers + left_out.customers) * experiments.share as expected
from experiments
inner join (
    select experiment, count(distinct customer_id) as customers
    from exposures
    where arm <> 'control' and period in ('while it ran', 'rejected')
    group by experiment
) as reached on experiments.experiment = reached.experiment
inner join (
    select held_out.experiment, count(*) as customers
    from held_out
    inner join activation_plans on held_out.plan = activation_plans.plan
    inner join assignments
        on held_out.experiment = assignments.experiment and held_out.customer_id = assignments.customer_id
    inner join experiments on held_out.experiment = experiments.experiment
    where
        activation_plans.state in ('applied', 'partial')
        and activation_plans.ended_at
        < (assignments.counts_from + make_interval(days => experiments.days)) at time zone 'Europe/London'
    group by held_out.experiment
) as left_out on experiments.experiment = left_out.experiment
where
    power(reached.customers - (reached.customers + left_out.customers) * experiments.share, 2)
    > 10.828 * (reached.customers + left_out.customers) * experiments.share * (1 - experiments.share)
