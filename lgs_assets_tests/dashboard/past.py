"""A past for campaigns: what would have been recorded, had the platform run at each month end."""

import pandas as pd
import sqlalchemy as sa

from lgs_assets.action.audiences import record_members
from lgs_assets.action.experiments.report import reports
from lgs_assets.action.experiments.results import results
from lgs_assets.configuration import Configuration
from lgs_assets.warehouse.database import Warehouse

_STAYS = """
with places as (
    select snapshot_date, row_number() over (order by snapshot_date) as place
    from (select distinct snapshot_date from rfm_history) as snapshots
),

was as (
    select
        audience, customer_id, place,
        place - row_number() over (partition by audience, customer_id order by place) as stay
    from rfm_history
    inner join places using (snapshot_date)
    inner join (
        values ('call_list', array['Can''t Lose']), ('lapsed_regulars', array['Can''t Lose', 'At Risk']),
            ('win_back_letters', array['At Risk']), ('first_to_see', array['Champions']),
            ('second_order_nudge', array['Promising']), ('welcome_series', array['New Customers']),
            ('third_order_thanks', array['Potential Loyalists'])
    ) as asked (audience, segments) on segment = any (segments)
    where place > (select max(place) - 14 from places)
        and (audience <> 'win_back_letters' or monetary >= 500)
        and (audience <> 'second_order_nudge' or frequency = 1)
        and (audience <> 'third_order_thanks' or frequency between 2 and 3)
)

insert into audience_memberships (
    audience, customer_id, entered_at, left_at, entered_version, entered_by, left_by, entry_recorded_at,
    exit_recorded_at
)
select
    audience, customer_id, min(entered.snapshot_date), min(gone.snapshot_date), 'past', 'past',
    case when min(gone.snapshot_date) is not null then 'past' end, now(),
    case when min(gone.snapshot_date) is not null then now() end
from (
    select audience, customer_id, min(place) as first, max(place) as last
    from was
    group by audience, customer_id, stay
) as stays
inner join places as entered on entered.place = first
left join places as gone on gone.place = last + 1
group by audience, customer_id, first
"""


def record_past(warehouse: Warehouse) -> None:
    """Records the stays of fourteen month ends, and what the audiences hold now after them."""
    with warehouse.transaction() as connection:
        connection.execute(sa.text("delete from audience_memberships"))
        connection.exec_driver_sql(_STAYS)
    frame = record_members(warehouse, publication="now")
    with warehouse.transaction() as connection:
        connection.execute(sa.text("delete from audience_history"))
        connection.execute(
            sa.text("insert into audience_history values (:audience, :snapshot_date, :entered, :left_since, :members)"),
            [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")],
        )


DECLARATION = """hypothesis = "A letter brings back {whom} who stopped ordering."
owner = "head of customer relations"
audience = "{audience}"
block_by = ["segment", "monetary"]
block_size = 4
secondary = ["net_revenue", "orders", "revenue_per_order"]
mde = "10 points"

[arms]
control = 0.5
letter = 0.5

[primary]
metric = "bought_within"
days = {days}
"""
_EXPERIMENT = """
insert into experiments values (
    :name, :declaration, repeat('0', 64), :audience, repeat('0', 64), 'bought_within', :days, 0.5,
    repeat('0', 32), null, null, 'ana', :begins, null, null, 'once'
)
"""
_ARMS = """
insert into assignments
select
    :name, customer_id, 1, concat(segment, '/', place / 4), segment,
    case when row_number() over (partition by segment, place / 4 order by md5(customer_id::text)) % 2 = 1
        then 'letter' else 'control' end,
    snapshot_date, snapshot_date
from (
    select *, row_number() over (partition by segment order by monetary desc, customer_id) - 1 as place
    from rfm_history
    where snapshot_date = :begins and (cast(:segments as text[]) is null or segment = any (cast(:segments as text[])))
) as ordered
"""


def try_a_letter(
    warehouse: Warehouse,
    name: str,
    *,
    days: int,
    back: int,
    segments: list[str] | None = None,
    audience: str = "lapsed_regulars",
    whom: str = "<b>regulars</b>",
) -> None:
    """An experiment that began so many month ends ago, with nothing sent: the arms differ by chance alone."""
    with warehouse.transaction() as connection:
        begins = connection.execute(
            sa.text("select distinct snapshot_date from rfm_history order by 1 desc offset :back limit 1"),
            {"back": back},
        ).scalar_one()
        given = {"name": name, "begins": begins, "days": days, "segments": segments, "audience": audience}
        connection.execute(
            sa.text(_EXPERIMENT), given | {"declaration": DECLARATION.format(days=days, audience=audience, whom=whom)}
        )
        connection.execute(sa.text(_ARMS), given)
    tell_experiments(warehouse)


def tell_experiments(warehouse: Warehouse) -> None:
    """Fills the tables of results and reports, as a run does."""
    told = reports(warehouse, cache=Configuration.read().state / "matplotlib")
    for table, frame in (("experiment_results", results(warehouse)), ("experiment_reports", told)):
        columns = ", ".join(f":{column}" for column in frame.columns)
        rows = [
            {str(column): None if pd.isna(value) else value for column, value in row.items()}
            for row in frame.to_dict("records")
        ]
        with warehouse.transaction() as connection:
            connection.execute(sa.text(f"delete from {table}"))
            if rows:
                connection.execute(sa.text(f"insert into {table} values ({columns})"), rows)


HOSTILE = "<script>alert('answer')</script>"
_PLANS = """
insert into activation_plans (
    destination, audience, audience_version, publication, adds, updates, removes, left_out, held_before, digest, state,
    refusal, made_by, made_at, ended_at
)
values
    ('webhook', 'first_to_see', 'v', 'p', 4, 0, 0, '{"no contact": 2}', 0, repeat('0', 64), 'partial', null, 'ana',
        now() - interval '3 days', now() - interval '3 days'),
    ('webhook', 'first_to_see', 'v', 'p', 1, 2, 1, '{"no contact": 3, "control group": 1}', 3, repeat('0', 64),
        'planned', null, 'ana', now() - interval '1 hour', null),
    ('drop', 'call_list', 'v', 'p', 0, 0, 1, '{}', 9, repeat('0', 64), 'planned', :hostile, 'ana',
        now() - interval '2 days', null);
insert into activation_changes (
    plan, customer_id, operation, cause, fields, payload, batch, state, answer, answered_at
)
select
    1, customer_id, 'add', 'entered the audience', '{}', 'secret payload', 1,
    case place when 1 then 'rejected' else 'accepted' end, case place when 1 then 'someone@example.test' end, now()
from (select customer_id, row_number() over (order by customer_id) as place from audience_facts) as facts
where place <= 4;
insert into activation_receipts (
    plan, batch, attempt, idempotency_key, request, row_count, sent_at, answered_at, status, outcome
)
values
    (1, 1, 1, 'k', 'secret request', 4, now(), now(), 429, :hostile),
    (1, 1, 2, 'k', 'secret request', 4, now(), now(), 207, 'accepted 3, rejected 1');
insert into destination_members
select 'webhook', 'first_to_see', customer_id, 'secret payload', 1, now()
from activation_changes
where state = 'accepted';
insert into marketing_exclusions values (1, 'objected', now()), (2, 'objected', now()), (3, 'forgotten', now())
"""


def send_lists(warehouse: Warehouse) -> None:
    """One list sent, with a row rejected; a plan that waits, one that is too old; three customers who said no."""
    with warehouse.transaction() as connection:
        for statement in _PLANS.split(";\n"):
            connection.execute(sa.text(statement.replace('": ', '"\\: ')), {"hostile": HOSTILE})
