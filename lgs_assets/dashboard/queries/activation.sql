-- What was planned and sent, of all audiences or of one: the plans that wait and the last others, the last receipts, and
-- who is held where; and how many are not written to, by reason. One row.
select
    (
        select coalesce(json_agg(plans order by plan desc), '[]')
        from (
            select
                plan, destination, audience, adds, updates, removes, left_out, state, refusal, made_by, made_at, ended_at,
                allowed, applied_by, applied_at, audience_version = '' as is_leaving,
                audience_version <> ''
                    and made_at < now() - case state when 'applying' then interval '48 hours' else interval '24 hours' end
                    as is_old,
                exists (select from audiences where audiences.audience = own.audience) as is_declared,
                (
                    select coalesce(json_object_agg(answers.state, answers.changes), '{}')
                    from (
                        select changes.state, count(*) as changes
                        from activation_changes as changes
                        where changes.plan = own.plan
                        group by changes.state
                    ) as answers
                ) as answers
            from activation_plans as own
            where (cast(:audience as text) is null or audience = :audience)
                and (
                    state in ('planned', 'applying')
                    or plan in (
                        select plan
                        from activation_plans
                        where cast(:audience as text) is null or audience = :audience
                        order by plan desc
                        limit :plans
                    )
                )
        ) as plans
    ) as plans,
    (
        select coalesce(json_agg(receipts order by receipt desc), '[]')
        from (
            select
                receipt, plan, audience, destination, batch, attempt, row_count, sent_at, answered_at, status,
                left(outcome, 200) as outcome, audience in (select audience from audiences) as is_declared
            from activation_receipts
            inner join activation_plans using (plan)
            where cast(:audience as text) is null or audience = :audience
            order by receipt desc
            limit :receipts
        ) as receipts
    ) as receipts,
    (
        select coalesce(json_agg(held order by destination, audience), '[]')
        from (
            select
                lists.*, checked_at, missing, not_ours, barred, objected, unknown,
                audience in (select audience from audiences) as is_declared
            from (
                select
                    destination, audience, count(*) filter (where confirmed_at is not null) as customers,
                    max(confirmed_at) as confirmed_at,
                    count(distinct customer_id) filter (where confirmed_at is null) as left_behind
                from (
                    select destination, audience, customer_id, confirmed_at from destination_members
                    union all
                    select destination, audience, customer_id, null from left_behind where emptied_at is null
                ) as sent
                where cast(:audience as text) is null or audience = :audience
                group by destination, audience
            ) as lists
            left join (
                select distinct on (destination, audience) *
                from list_drift
                order by destination, audience, checked_at desc
            ) as latest using (destination, audience)
        ) as held
    ) as held,
    (
        select coalesce(json_object_agg(reason, customers), '{}')
        from (select reason, count(*) as customers from marketing_exclusions group by reason) as excluded
    ) as excluded,
    (
        select coalesce(json_object_agg(reason, members), '{}')
        from (
            select reason, sum(cast(members as bigint)) as members
            from (
                select distinct on (destination, audience) left_out
                from activation_plans
                where audience_version <> ''
                order by destination, audience, plan desc
            ) as latest
            cross join jsonb_each_text(left_out) as each_reason (reason, members)
            group by reason
        ) as counted
    ) as left_out
