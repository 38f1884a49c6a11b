-- No more than 30 % of an audience left at its last change.
-- warning
select last_change.audience, last_change.snapshot_date, last_change.left_since, last_change.members
from audience_history as last_change
where
    last_change.snapshot_date = (
        select max(snapshot_date) from audience_history where audience = last_change.audience
    )
    and last_change.left_since > 0.3 * (last_change.members - last_change.entered + last_change.left_since)
    and last_change.members - last_change.entered + last_change.left_since > 0
