-- Drawn again with the salt of its experiment, everybody has the arm that is kept: in each block, those with the smallest
-- SHA-256 of salt:customer are treated, as in sql/arms.sql.
-- error
select experiment, customer_id, block, arm
from (
    select
        assignments.experiment,
        assignments.customer_id,
        assignments.block,
        assignments.arm,
        row_number() over (
            partition by assignments.experiment, assignments.block
            order by
                sha256(convert_to(concat(experiments.salt, ':', assignments.customer_id), 'UTF8')), assignments.customer_id
        ) as rank,
        count(*) over (partition by assignments.experiment, assignments.block) * experiments.share as treated,
        ('x' || substr(
            encode(sha256(convert_to(concat(experiments.salt, ':', assignments.block), 'UTF8')), 'hex'), 1, 12
        ))::bit(48)::bigint / 2::numeric ^ 48 as odd_lot
    from assignments
    inner join experiments on assignments.experiment = experiments.experiment
) as ranked
where
    (arm <> 'control')
    <> (rank <= floor(treated) + case when odd_lot < treated - floor(treated) then 1 else 0 end)
