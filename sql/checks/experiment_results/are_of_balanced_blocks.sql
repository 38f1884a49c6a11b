-- No arm of a block is a whole customer away from its share.
-- error
select
    assignments.experiment,
    assignments.block,
    count(*) as customers,
    count(case when assignments.arm <> 'control' then 1 end) as treated,
    count(*) * experiments.share as expected
from assignments
inner join experiments on assignments.experiment = experiments.experiment
group by assignments.experiment, assignments.block, experiments.share
having abs(count(case when assignments.arm <> 'control' then 1 end) - count(*) * experiments.share) >= 1
