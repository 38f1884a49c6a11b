-- The customers who enter a segment are those who move to it from another, or are new, in monthly steps.
-- error
with moved as (
    select segment_to as segment, sum(customers) as customers
    from segment_migrations
    where step = 1 and not is_partial and segment_from <> segment_to
    group by segment_to
),

entered as (
    select segment, entries
    from segment_survival
    where months = 0
)

select coalesce(moved.segment, entered.segment) as segment, customers, entries
from moved
full join entered on moved.segment = entered.segment
where customers is distinct from entries
