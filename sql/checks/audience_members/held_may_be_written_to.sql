-- No list has anybody whom we put there and who objected, was forgotten, or is of the control group of a running experiment:
-- the night removes the former, and the next plan the latter. Only plans can tell who declined, or whose address is suppressed.
-- Whom a destination has left behind at a former place it holds, too: nothing removes them there but somebody by hand.
-- warning
select
    held.destination,
    held.audience,
    held.customer_id,
    held.place,
    barred.reason
from (
    select destination, audience, customer_id, 'present' as place from destination_members
    union all
    select distinct destination, audience, customer_id, 'former' as place from left_behind where emptied_at is null
) as held
inner join (
    select customer_id, reason from marketing_exclusions
    union all
    select assignments.customer_id, 'control group'
    from assignments
    inner join experiments on assignments.experiment = experiments.experiment
    where assignments.arm = 'control' and experiments.stopped_at is null
) as barred on held.customer_id = barred.customer_id
