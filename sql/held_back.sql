-- Who may not be contacted while an experiment runs, and why, one row a customer: the control group, and members of the
-- audience of an experiment in waves who have no arm yet, as a later wave may draw them into it. Whom another running
-- experiment treats is not among these: until it is stopped they are not drawn.
select customer_id, min(reason) as reason
from (
    select assignments.customer_id, 'control group' as reason
    from lgs.assignments
    inner join lgs.experiments on assignments.experiment = experiments.experiment
    where assignments.arm = 'control' and experiments.stopped_at is null
    union all
    select members.customer_id, 'waits for its draw'
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
) as held
group by customer_id
