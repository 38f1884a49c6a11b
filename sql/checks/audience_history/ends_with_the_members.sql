-- Each audience ends with as many members as it has now, unless no customer is left at all.
-- error
with now as (
    select audience, count(*) as members from audience_members group by audience
),

ends as (
    select audience, members
    from audience_history
    where snapshot_date = (
        select max(own.snapshot_date) from audience_history as own where own.audience = audience_history.audience
    )
)

select coalesce(now.audience, ends.audience) as audience, now.members, ends.members as members_of_history
from now
full join ends on now.audience = ends.audience
where coalesce(now.members, 0) <> coalesce(ends.members, 0) and exists (select 1 from audience_facts)
