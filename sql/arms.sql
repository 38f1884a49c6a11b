-- The arm of each customer of a population, drawn by lot: of each block, which is customers of a stratum with like place_by,
-- those with the smallest SHA-256 of salt:customer are treated. One draw on any server: nothing in it depends on the order
-- of rows, a collation or a random number of the server. Of a block that the share does not divide, the odd one is drawn
-- by the hash of the block. Customers left over from full blocks are the largest where the share divides them, which pairs
-- the two that differ most; otherwise the smallest.
with population as ({population}),

ordered as (
    select
        *,
        row_number() over (partition by stratum order by place_by desc nulls last, customer_id) - 1 as above,
        count(*) over (partition by stratum) % {size} as left_over
    from population
),

placed as (
    select
        *,
        (above + case when left_over * {share} % 1 = 0 then ({size} - left_over) % {size} else 0 end) / {size} as place
    from ordered
),

drawn as (
    select
        *,
        concat_ws('/', stratum, place) as block,
        sha256(convert_to(concat({salt}, ':', customer_id), 'UTF8')) as lot,
        sha256(convert_to(concat({salt}, ':', stratum, '/', place), 'UTF8')) as lot_of_block
    from placed
),

ranked as (
    select
        *,
        row_number() over (partition by block order by lot, customer_id) as rank,
        count(*) over (partition by block) * {share} as treated,
        ('x' || substr(encode(lot_of_block, 'hex'), 1, 12))::bit(48)::bigint / 2::numeric ^ 48 as odd_lot
    from drawn
)

select
    customer_id,
    block,
    segment,
    case
        when rank <= floor(treated) + case when odd_lot < treated - floor(treated) then 1 else 0 end then {treatment}
        else {control}
    end as arm
from ranked
