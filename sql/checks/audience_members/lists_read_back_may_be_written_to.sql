-- The last reading of each list that holds somebody of ours found nobody on it who may not be written to, whoever put them
-- there: nothing removes them but somebody by hand.
-- warning
select destination, audience, checked_at, barred
from (
    select
        destination,
        audience,
        checked_at,
        barred,
        max(checked_at) over (partition by destination, audience) as last_checked_at
    from list_drift
) as readings
where
    checked_at = last_checked_at
    and barred > 0
    and exists (
        select 1
        from destination_members as held
        where held.destination = readings.destination and held.audience = readings.audience
    )
