-- The arms of each experiment that was started, or of one: customers, and those of them who were reached.
select
    experiments.experiment, declaration, audience, metric, days, share, underpowered, started_by, started_at, stopped_at,
    stopped_because, arms.arm, arms.customers, arms.waves, arms.last_from, coalesce(reached.customers, 0) as reached
from experiments
inner join (
    select experiment, arm, count(*) as customers, max(wave) as waves, max(counts_from) as last_from
    from assignments
    group by experiment, arm
) as arms on arms.experiment = experiments.experiment
left join (
    select experiment, arm, count(distinct customer_id) as customers
    from exposures
    group by experiment, arm
) as reached on reached.experiment = experiments.experiment and reached.arm = arms.arm
where cast(:experiment as text) is null or experiments.experiment = :experiment
order by started_at desc, experiments.experiment, arms.arm
