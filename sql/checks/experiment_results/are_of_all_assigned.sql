-- Everybody who was assigned is compared, in the arm that was drawn. Their countries are not kept with the arms.
-- error
select
    experiment_results.experiment,
    experiment_results.metric,
    experiment_results.segment,
    experiment_results.control_customers,
    experiment_results.treated_customers,
    count(case when assignments.arm = 'control' then 1 end) as control_assigned,
    count(case when assignments.arm <> 'control' then 1 end) as treated_assigned
from experiment_results
left join assignments
    on experiment_results.experiment = assignments.experiment
    and (experiment_results.segment = 'all' or experiment_results.segment = assignments.segment)
where experiment_results.country = 'all'
group by
    experiment_results.experiment,
    experiment_results.metric,
    experiment_results.segment,
    experiment_results.control_customers,
    experiment_results.treated_customers
having
    experiment_results.control_customers <> count(case when assignments.arm = 'control' then 1 end)
    or experiment_results.treated_customers <> count(case when assignments.arm <> 'control' then 1 end)
