-- Who must not be contacted now, and why, one row a customer: who objected or is forgotten; and, while an experiment runs,
-- its control group, and members of the audience of one in waves who have no arm yet, as a later wave may draw them into
-- it. Whom another running experiment treats is not among these: until it is stopped they are not drawn.
select customer_id, coalesce(min(reason) filter (where is_for_good), min(reason)) as reason
from (
    select customer_id, reason, true as is_for_good
    from lgs.marketing_exclusions
    union all
    select assignments.customer_id, 'control group', false
    from lgs.assignments
    inner join lgs.experiments on assignments.experiment = experiments.experiment
    where assignments.arm = 'control' and experiments.stopped_at is null
    union all
    select members.customer_id, 'waits for its draw', false
    from lgs.audience_members as members
    inner join lgs.experiments on members.audience = experiments.audience
    where
        experiments.enrol = 'waves'
        and experiments.stopped_at is null
        and not exists (
            select
            from lgs.assignments
            inner join lgs.experiments as others on assignments.experiment = others.experiment
            where
                assignments.customer_id = members.customer_id
                and others.stopped_at is null
                and (others.experiment = experiments.experiment or assignments.arm <> 'everything')
        )
) as excluded
group by customer_id
