-- Each audience, or one: members whom the filters pick, what they are worth, its last change, and how many are held.
select
    audiences.audience, description, rule, words, fields, at_least, at_most, unmatched,
    coalesce(now.members, 0) as members, coalesce(now.monetary, 0) as monetary,
    coalesce(now.net_revenue, 0) as net_revenue, now.value, coalesce(now.at_risk, 0) as at_risk,
    changed.snapshot_date, changed.entered, changed.left_since, coalesce(held.customers, 0) as held
from audiences
left join (
    select
        members.audience, count(*) as members, sum(matched.monetary) as monetary,
        sum(matched.net_revenue) as net_revenue, sum(facts.value) as value,
        count(*) filter (where facts.risk_band = 'high') as at_risk
    from matched
    inner join audience_members as members on members.customer_id = matched.customer_id
    inner join audience_facts as facts on facts.customer_id = matched.customer_id
    group by members.audience
) as now on now.audience = audiences.audience
left join (
    select distinct on (audience) audience, snapshot_date, entered, left_since
    from audience_history
    order by audience, snapshot_date desc
) as changed on changed.audience = audiences.audience
left join (
    select audience, count(distinct customer_id) as customers from destination_members group by audience
) as held on held.audience = audiences.audience
where cast(:audience as text) is null or audiences.audience = :audience
order by audiences.audience
