-- Counting customers who are still in the data, no arm is empty, or further from its share than chance puts it once in a
-- thousand draws: otherwise something took customers out.
-- error
select
    experiments.experiment,
    count(customer_profile.customer_id) as customers,
    count(case when assignments.arm <> 'control' then customer_profile.customer_id end) as treated,
    count(customer_profile.customer_id) * experiments.share as expected
from experiments
left join assignments on experiments.experiment = assignments.experiment
left join customer_profile on assignments.customer_id = customer_profile.customer_id
group by experiments.experiment, experiments.share
having
    count(case when assignments.arm = 'control' then customer_profile.customer_id end) = 0
    or count(case when assignments.arm <> 'control' then customer_profile.customer_id end) = 0
    or power(
        count(case when assignments.arm <> 'control' then customer_profile.customer_id end)
        - count(customer_profile.customer_id) * experiments.share,
        2
    ) > 10.828 * count(customer_profile.customer_id) * experiments.share * (1 - experiments.share)
