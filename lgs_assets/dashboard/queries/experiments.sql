-- The arms of each experiment that was started, or of one: how many customers each has, how many are still in the data, were
-- reached and were sent; how many of the control group would have been sent; and, from its report, the first line, what would
-- have been claimed, how many objected, and the days without an invoice.
select
    experiments.experiment, declaration, audience, metric, days, share, started_by, started_at, stopped_at,
    stopped_because, arms.arm, arms.customers, arms.known, arms.waves, arms.first_from, arms.last_from,
    coalesce(reached.customers, 0) as reached, coalesce(reached.undrawn, 0) as reached_undrawn,
    coalesce(reached.later, 0) as reached_later, coalesce(reached.sent, 0) as sent, reached.through, coalesce(held_out.customers, 0) as held_out,
    experiment_reports.answer, experiment_reports.claim, experiment_reports.due as reported_due,
    case when arms.arm = 'control' then control_excluded else treated_excluded end as excluded,
    experiment_reports.missing_from, experiment_reports.missing_to, experiments.doubled_invoices as doubled_then,
    (select settings ->> 'doubled_invoices' from publications where table_name = 'clean_invoices') as doubled_now
from experiments
inner join (
    select
        experiment, arm, count(*) as customers, count(customer_profile.customer_id) as known, max(wave) as waves,
        min(counts_from) as first_from, max(counts_from) as last_from
    from assignments
    left join customer_profile using (customer_id)
    group by experiment, arm
) as arms on arms.experiment = experiments.experiment
left join (
    select
        experiment, arm,
        max(customers) filter (where audience is null and period = 'while it ran') as customers,
        max(customers) filter (where audience is null and period = 'before the draw') as undrawn,
        max(customers) filter (where audience is null and period = 'after the stop') as later,
        max(sent) filter (where period is null) as sent,
        jsonb_object_agg(audience, customers) filter (where audience is not null and period = 'while it ran') as through
    from (
        select
            experiment, arm, period, audience, count(distinct customer_id) as customers,
            count(distinct customer_id) filter (where period in ('while it ran', 'rejected')) as sent
        from exposures
        group by grouping sets ((experiment, arm), (experiment, arm, period), (experiment, arm, period, audience))
    ) as exposed
    group by experiment, arm
) as reached on reached.experiment = experiments.experiment and reached.arm = arms.arm
left join (
    select experiment, count(*) as customers
    from held_out
    inner join activation_plans using (plan)
    inner join assignments using (experiment, customer_id)
    inner join experiments using (experiment)
    where
        state in ('applied', 'partial')
        and ended_at < (counts_from + make_interval(days => experiments.days)) at time zone 'Europe/London'
    group by experiment
) as held_out on held_out.experiment = experiments.experiment
left join experiment_reports on experiment_reports.experiment = experiments.experiment
where cast(:experiment as text) is null or experiments.experiment = :experiment
order by started_at desc, experiments.experiment, arms.arm
