-- Whom to look after first: the most valuable of those at high risk, and the good customers next to slip. The first of
-- them, or all where :most is null, and how many there are. Who is among the first is found first, as in list.sql.
(
    select
        'churn' as kind, customer_id, profile.country, risk.segment, risk.probability, risk.is_calibrated,
        concat_ws('; ', risk.reason_1, risk.reason_2, risk.reason_3) as reasons, risk.days_late as days, risk.sales_365,
        risk.expected_next_day as due, risk.rank, do_not_contact.reason as do_not_contact, first.all_customers
    from (
        select customer_id, count(*) over () as all_customers
        from matched
        inner join churn_risk as risk using (customer_id)
        where risk.band = 'high'
        order by risk.sales_365 desc, customer_id
        limit cast(:most as bigint)
    ) as first
    inner join churn_risk as risk using (customer_id)
    inner join customer_profile as profile using (customer_id)
    left join do_not_contact
        using (customer_id)
    order by risk.sales_365 desc, customer_id
)
union all
(
    select
        'slipping', customer_id, profile.country, slipping.segment, null, true, null, slipping.days_to_edge,
        slipping.sales_365, null, slipping.rank, do_not_contact.reason, first.all_customers
    from (
        select customer_id, count(*) over () as all_customers
        from matched
        inner join slipping using (customer_id)
        order by slipping.rank, customer_id
        limit cast(:most as bigint)
    ) as first
    inner join slipping using (customer_id)
    inner join customer_profile as profile using (customer_id)
    left join do_not_contact
        using (customer_id)
    order by slipping.rank, customer_id
)
