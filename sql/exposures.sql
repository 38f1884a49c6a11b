-- Whom a destination held, through any audience, from the draw of an experiment to the end of a customer's window, by when.
-- While it ran: of the control group that is contamination. Whoever was on a list when they were drawn may be taken off it
-- until purchases count, for a day at most. After the stop, nobody is held out any more. Before the draw, only whom it held
-- through the audience of the experiment: they were treated before they had an arm, whichever it is. Rejected: whom a
-- destination was told of while it ran, and did not take. A stay in a list begins when the destination accepts the customer,
-- and ends when it accepts their removal or deletion. What it holds now counts as well, as a plan that was given up may have
-- sent it, and so does what it holds at a place that was left, until somebody empties that. One row an experiment, customer,
-- destination, audience and period. The table of this name is what this query found when the table was last built; health
-- and reports ask the query itself.
select
    assignments.experiment,
    assignments.customer_id,
    assignments.arm,
    stays.destination,
    stays.audience,
    periods.period,
    min(stays.since) as reached_at
from assignments
inner join experiments on assignments.experiment = experiments.experiment
inner join (
    select
        lists.destination,
        lists.audience,
        activation_changes.customer_id,
        activation_changes.operation in ('add', 'update') as is_held,
        false as is_rejected,
        activation_changes.answered_at as since,
        min(activation_changes.answered_at) filter (where activation_changes.operation in ('remove', 'erase')) over (
            partition by lists.destination, lists.audience, activation_changes.customer_id
            order by activation_changes.answered_at, activation_changes.plan
            rows between 1 following and unbounded following
        ) as until
    from activation_changes
    inner join activation_plans on activation_changes.plan = activation_plans.plan
    inner join ( -- a deletion has no audience: it ends the stay in every list of the destination
        select distinct destination, audience from activation_plans where audience <> ''
    ) as lists
        on activation_plans.destination = lists.destination
        and activation_plans.audience in (lists.audience, '')
    where activation_changes.state = 'accepted'
    union all
    select
        activation_plans.destination, activation_plans.audience, activation_changes.customer_id, false, true,
        activation_changes.answered_at, activation_changes.answered_at
    from activation_changes
    inner join activation_plans on activation_changes.plan = activation_plans.plan
    where activation_changes.state = 'rejected' and activation_changes.operation = 'add'
    union all
    select destination, audience, customer_id, true, false, confirmed_at, null
    from destination_members
    union all
    select destination, audience, customer_id, true, false, confirmed_at, emptied_at
    from left_behind
) as stays on assignments.customer_id = stays.customer_id
cross join lateral (
    -- timestamps of the retailer, of whom London is the time zone
    select
        least(
            assignments.counts_from at time zone 'Europe/London', assignments.assigned_at + interval '1 day'
        ) as begins,
        (assignments.counts_from + make_interval(days => experiments.days)) at time zone 'Europe/London' as ends
) as observed
inner join lateral (
    select 'before the draw' as period
    where stays.is_held and stays.audience = experiments.audience and stays.since < assignments.assigned_at
    union all
    select case when stays.is_held then 'while it ran' else 'rejected' end as period
    where
        stays.since < observed.ends
        and (experiments.stopped_at is null or stays.since < experiments.stopped_at)
        and (stays.until is null or stays.until > observed.begins or stays.since >= assignments.assigned_at)
    union all
    select 'after the stop' as period
    where stays.is_held and stays.since >= experiments.stopped_at and stays.since < observed.ends
) as periods on true
where stays.is_held or stays.is_rejected
group by
    assignments.experiment, assignments.customer_id, assignments.arm, stays.destination, stays.audience, periods.period
