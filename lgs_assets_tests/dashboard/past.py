"""A past for the audiences: who would have been recorded, had the platform run at each month end."""

import sqlalchemy as sa

from lgs_assets.action.audiences import record_members
from lgs_assets.warehouse.database import Warehouse

_STAYS = """
with places as (
    select snapshot_date, row_number() over (order by snapshot_date) as place
    from (select distinct snapshot_date from rfm_history) as snapshots
),

was as (
    select audience, customer_id, place, place - row_number() over (partition by audience, customer_id order by place) as stay
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
    audience, customer_id, entered_at, left_at, entered_version, entered_by, left_by, entry_recorded_at, exit_recorded_at
)
select
    audience, customer_id, min(entered.snapshot_date), min(gone.snapshot_date), 'past', 'past',
    case when min(gone.snapshot_date) is not null then 'past' end, now(),
    case when min(gone.snapshot_date) is not null then now() end
from (select audience, customer_id, min(place) as first, max(place) as last from was group by audience, customer_id, stay) as stays
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
            frame.to_dict("records"),
        )
