-- No more than 30 % of an audience entered, or left, at its last change.
-- warning
with changes as (
    select audience, snapshot_date, members, entered, left_since, members - entered + left_since as members_before
    from audience_history
)

select
    last_change.audience, last_change.snapshot_date, last_change.entered, last_change.left_since, last_change.members,
    last_change.members_before
from changes as last_change
where
    last_change.snapshot_date = (
        select max(snapshot_date) from audience_history where audience = last_change.audience
    )
    and greatest(last_change.entered, last_change.left_since) > 0.3 * last_change.members_before
    and last_change.members_before > 0
