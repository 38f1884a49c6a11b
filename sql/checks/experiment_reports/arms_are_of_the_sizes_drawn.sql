-- No arm is further from its share than chance puts it once in a thousand draws: otherwise something took customers out.
-- error
select
    experiments.experiment,
    count(*) as customers,
    count(case when assignments.arm <> 'control' then 1 end) as treated,
    count(*) * experiments.share as expected
from assignments
inner join experiments on assignments.experiment = experiments.experiment
group by experiments.experiment, experiments.share
having
    power(count(case when assignments.arm <> 'control' then 1 end) - count(*) * experiments.share, 2)
    > 10.828 * count(*) * experiments.share * (1 - experiments.share)
