"""The pages Campaigns and Experiments: they show what the tables hold, and nobody's address or secret."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets.dashboard.filters import Filters
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.dashboard.conftest import COUNTRIES, Site
from lgs_assets_tests.dashboard.past import HOSTILE, tell_experiments
from lgs_assets_tests.dashboard.test_pages import SEGMENTS


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def writer(own_site: Site) -> Iterator[Warehouse]:
    """The tables of `own_site`, to change."""
    warehouse = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    yield warehouse
    warehouse.engine.dispose()


def change(warehouse: Warehouse, statement: str) -> None:
    with warehouse.transaction() as connection:
        connection.exec_driver_sql(statement)


def test_audiences_are_those_of_the_tables_to_the_penny(site: Site, market: Warehouse) -> None:
    shown = {row["audience"]: row for row in rows(site.get("/campaigns/audiences.csv").text)}
    known = market.rows(
        "select audience, count(*) as members, sum(monetary) as monetary from audience_members "
        "inner join audience_facts using (customer_id) group by audience"
    )
    assert len(shown) == 7
    for row in known:
        assert int(shown[row.audience]["members"]) == row.members
        assert Decimal(shown[row.audience]["sales_before_returns"]) == row.monetary
    assert sum(int(row["members"]) for row in shown.values()) == sum(row.members for row in known)


FILTERS = st.builds(
    Filters,
    countries=st.sets(st.sampled_from(COUNTRIES), max_size=2).map(lambda found: tuple(sorted(found))),
    segments=st.sets(st.sampled_from(SEGMENTS), max_size=3).map(lambda found: tuple(sorted(found))),
    cohorts=st.sampled_from([(), ("2011-Q1",), ("2011-Q2",)]),
    sort=st.sampled_from(["sales_before_returns", "value", "risk_band", "expected_next_day", "country"]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILTERS, st.sampled_from(["first_to_see", "lapsed_regulars", "third_order_thanks"]))
def test_list_file_and_figure_are_of_the_same_members(site: Site, filters: Filters, audience: str) -> None:
    query = filters.url("")
    html = site.get(f"/campaigns/{audience}{query}").text
    listed = rows(site.get(f"/campaigns/{audience}/members.csv{query}").text)
    figure = {row["audience"]: row for row in rows(site.get(f"/campaigns/audiences.csv{query}").text)}
    told = re.search(r"Take the list away, all ([\d,]+) member", html)
    assert len(listed) == int(figure[audience]["members"]) == (int(told[1].replace(",", "")) if told else 0)
    assert len(re.findall(r'<th scope="row"><a href="/customers/\d+', html)) == min(len(listed), 50)
    assert sum(Decimal(row["sales_before_returns"]) for row in listed) == Decimal(
        figure[audience]["sales_before_returns"]
    )


@pytest.mark.parametrize(
    "path", ["/campaigns/first_to_see/members", "/customers/customers", "/segments/champions/customers"]
)
def test_who_must_not_be_contacted_is_marked(own_site: Site, writer: Warehouse, path: str) -> None:
    """In the list and the file of it, whatever columns are chosen: it is from these that somebody calls."""
    page = path.rpartition("/")[0]
    plain = rows(own_site.get(f"{path}.csv").text)
    assert plain and ("Do not contact" in own_site.get(page).text) == ("do_not_contact" in plain[0])
    chosen = int(plain[0]["customer_id"])
    change(writer, f"insert into assignments values ('a_letter', {chosen}, 9, 'x', 'x', 'control', now(), now()) "
                   "on conflict (experiment, customer_id) do update set arm = 'control'")  # fmt: skip
    marked = {int(row["customer_id"]): row["do_not_contact"] for row in rows(own_site.get(f"{path}.csv").text)}
    assert marked[chosen] == "control group"
    control = {row.customer_id for row in writer.rows("select customer_id from assignments where arm = 'control'")}
    assert {customer for customer, reason in marked.items() if reason} == control & marked.keys()
    assert "do_not_contact" in own_site.get(f"{path}.csv?column=segment").text.splitlines()[0]
    change(writer, "update experiments set stopped_at = now(), stopped_because = 'the end'")
    assert "do_not_contact" not in rows(own_site.get(f"{path}.csv").text)[0]
    change(writer, f"insert into marketing_exclusions values ({chosen}, 'objected', now())")
    marked = {int(row["customer_id"]): row["do_not_contact"] for row in rows(own_site.get(f"{path}.csv").text)}
    assert {customer: reason for customer, reason in marked.items() if reason} == {chosen: "objected"}
    assert "Do not contact: objected." in own_site.get(f"/customers/{chosen}").text


def test_a_page_to_print_marks_them_at_once(own_site: Site, writer: Warehouse) -> None:
    """An experiment starts between builds: no page from before it is kept."""
    listed = rows(own_site.get("/segments/champions/customers.csv").text)[:25]
    chosen = next(int(row["customer_id"]) for row in listed if not row["do_not_contact"])
    before = own_site.get("/report/champions").text.count("control group")
    change(writer, f"insert into assignments values ('a_letter', {chosen}, 9, 'x', 'x', 'control', now(), now()) "
                   "on conflict (experiment, customer_id) do update set arm = 'control'")  # fmt: skip
    assert own_site.get("/report/champions").text.count("control group") == before + 1


def test_history_is_that_of_the_table(site: Site, market: Warehouse) -> None:
    for name, columns in (("history", ["members"]), ("flows", ["entered", "left_since"])):
        shown = rows(site.get(f"/campaigns/first_to_see/{name}.csv").text)
        known = market.rows(
            f"select {', '.join(columns)} from audience_history where audience = 'first_to_see' order by snapshot_date"
        )
        assert [[int(value) for value in list(row.values())[1:]] for row in shown] == [
            [row[column] for column in columns] for row in known
        ]
        assert len(shown) > 3
    every = {row.pop("until"): row for row in rows(site.get("/campaigns/changes.csv").text)}
    known = market.rows(
        "select audience, least(date(snapshot_date) - 1, '2011-07-05') as until, members from audience_history"
    )
    assert {*next(iter(every.values()))} > {"first_to_see"}
    for name in {name for row in every.values() for name in row}:
        members = {str(row["until"]): str(row["members"]) for row in known if row["audience"] == name}
        assert {until: row[name] for until, row in every.items() if row[name]} == members, name


def test_a_rule_is_told_in_words(site: Site) -> None:
    html = site.get("/campaigns/win_back_letters").text
    assert "<dd>Segment is At Risk and sales before returns at least £500. Never anyone who has objected" in html
    assert "At Risk: ordered regularly" in html


def test_a_plan_that_waits_is_shown_with_the_command_that_applies_it(site: Site) -> None:
    html = site.get("/campaigns").text
    assert "<code>lgs activate apply 2</code>" in html
    assert "Left out: 1 control group; 3 no contact." in html
    assert "lgs activate apply 3" not in html, "it is too old"
    assert "Make another: <code>lgs activate plan call_list drop</code>" in html
    assert 'method="post"' not in html


def test_plans_receipts_and_lists_are_those_of_the_ledgers(site: Site) -> None:
    plans = {row["plan"]: row for row in rows(site.get("/campaigns/plans.csv").text)}
    assert [plans[number]["state"] for number in "123"] == ["partial", "planned", "too old to apply"]
    assert (plans["1"]["accepted"], plans["1"]["rejected"]) == ("3", "1")
    receipts = rows(site.get("/campaigns/receipts.csv").text)
    assert [(row["status"], row["attempt"]) for row in receipts] == [("207", "2"), ("429", "1")]
    held = rows(site.get("/campaigns/first_to_see/held.csv").text)
    assert [(row["destination"], row["customers"], row["missing"]) for row in held] == [("webhook", "3", "")]
    out = {(row["who"], row["reason"]): row["customers"] for row in rows(site.get("/campaigns/left_out.csv").text)}
    assert out == {
        ("in no audience", "forgotten"): "1",
        ("in no audience", "objected"): "2",
        ("in an audience, not sent", "control group"): "1",
        ("in an audience, not sent", "no contact"): "3",
    }


@pytest.mark.parametrize(
    "path", ["/campaigns", "/campaigns/first_to_see", "/campaigns/call_list", "/experiments/a_letter"]
)
def test_texts_of_others_and_secrets_are_not_on_a_page(site: Site, path: str) -> None:
    html = site.get(path).text
    assert HOSTILE not in html and "<b>regulars" not in html
    assert "secret" not in html and "example.test" not in html


SECRETS = [
    "select * from lgs_private.contacts", "select since from marketing_exclusions",
    "select salt from experiments", "select payload from activation_changes", "select answer from activation_changes",
    "select payload from destination_members", "select request from activation_receipts",
    "select * from audience_memberships",
]  # fmt: skip


@pytest.mark.parametrize("query", SECRETS)
def test_the_role_of_the_pages_reads_no_more_than_they_show(site: Site, query: str) -> None:
    with (
        site.tables.engine.connect() as reader,
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
    ):
        reader.execute(sa.text(query))


def test_what_changes_between_builds_is_shown_at_once(own_site: Site, writer: Warehouse) -> None:
    tag = own_site.get("/campaigns").headers["etag"]
    assert own_site.get("/campaigns", If_None_Match=tag).status == 304
    change(writer, "update activation_plans set state = 'applied', ended_at = now() where plan = 2")
    answer = own_site.get("/campaigns", If_None_Match=tag)
    assert answer.status == 200
    assert "No plan waits" not in answer.text
    change(writer, "update activation_plans set state = 'expired' where state = 'planned'")
    assert "No plan waits" in own_site.get("/campaigns").text


def test_whom_a_former_place_holds_is_told(own_site: Site, writer: Warehouse) -> None:
    """Beside whom the present one holds, and where that is nobody."""
    for sent in (
        "'webhook', 'first_to_see', 1, 'p'",
        "'webhook', 'first_to_see', 1, 'q'",
        "'drop', 'call_list', 2, 'p'",
    ):
        change(writer, f"insert into left_behind values ({sent}, now(), 1, now())")
    change(writer, "insert into left_behind values ('drop', 'call_list', 3, 'p', now(), 1, now(), null, now(), 'me')")
    held = {row["audience"]: row for row in rows(own_site.get("/campaigns/held.csv").text)}
    assert {name: (row["customers"], row["left_behind"]) for name, row in held.items()} == {
        "first_to_see": ("3", "1"),
        "call_list": ("0", "1"),
    }
    assert (
        "Nothing here reaches that list any more: empty it by hand, and then say so: lgs activate emptied."
        in own_site.get("/campaigns").text
    )


def test_an_audience_without_a_file_is_named_and_leads_nowhere(own_site: Site, writer: Warehouse) -> None:
    """Where its plans, receipts and lists are; there is no page of it."""
    for table in ("activation_plans", "destination_members"):
        change(writer, f"update {table} set audience = 'of_no_file' where audience = 'first_to_see'")
    html = own_site.get("/campaigns").text
    assert html.count("of_no_file (its file is gone)") >= 4 and "/campaigns/of_no_file" not in html
    assert own_site.get("/campaigns/of_no_file").status == 404


def test_empty_pages_say_what_to_do(own_site: Site, writer: Warehouse) -> None:
    for table in ("activation_plans", "activation_changes", "destination_members", "experiments", "assignments"):
        change(writer, f"delete from {table}")
    html = own_site.get("/campaigns").text
    assert "No destination holds anybody yet" in html and "lgs activate plan AUDIENCE DESTINATION" in html
    assert "lgs experiment start FILE" in own_site.get("/experiments").text
    assert own_site.get("/experiments/a_letter").status == 404
    nobody = own_site.get("/campaigns/first_to_see?" + urlencode({"segment": "Hibernating"})).text
    assert "No customer matches Hibernating" in nobody and "Remove Hibernating" in nobody


def test_a_role_without_leave_is_told_what_upgrades_it(own_site: Site, writer: Warehouse) -> None:
    change(writer, "revoke select on activation_plans from lgs_dashboard")
    change(writer, "revoke select (plan) on activation_plans from lgs_dashboard")
    answer = own_site.get("/campaigns")
    assert answer.status == 503
    assert "lgs run" in answer.text
    assert own_site.get("/segments").status == 200


def test_a_result_is_worded_as_in_the_report(site: Site, market: Warehouse) -> None:
    from lgs_assets.action.experiments.report import answer
    from lgs_assets.action.experiments.results import analyse

    html = site.get("/experiments/a_letter").text
    said = answer(analyse(market, "a_letter"))
    assert said in html and said.startswith(("No effect is shown", "The letter"))
    assert said in site.get("/experiments/experiments.csv").text
    shown = rows(site.get("/experiments/a_letter/result.csv").text)
    assert shown[0]["metric"] == "customers who buy"
    assert len(shown) == 4
    assert "would claim all of it" in html


def test_net_revenue_is_shown_as_it_is_paid_and_as_it_is_judged(own_site: Site, writer: Warehouse) -> None:
    """A chance stands beside the figures that it is of, also of segments: those with no customer beyond the cap."""
    change(
        writer,
        "update experiments set cap = 30, metric = 'net_revenue', declaration = replace(replace(replace(declaration, "
        '\'metric = "bought_within"\', \'metric = "net_revenue"\'), \'"net_revenue", "orders"\', \'"orders"\'), '
        "'10 points', '10 %%') where experiment = 'a_letter'",
    )
    tell_experiments(writer)
    paid, judged = rows(own_site.get("/experiments/a_letter/result.csv").text)[:2]
    assert (paid["metric"], paid["p_value"]) == ("net revenue per customer", "")
    assert judged["metric"] == "net revenue per customer, capped" and judged["p_value"]
    assert paid["treated"] != judged["treated"] and paid["between"] != judged["between"]
    everybody, capped = rows(own_site.get("/experiments/a_letter/effect.csv").text)[:2]
    assert (everybody["segment"], capped["segment"]) == ("all", "all, capped")
    assert (everybody["between"], capped["between"]) == (paid["between"], judged["between"])
    assert (
        "A report that counts what follows a campaign would claim all of it"
        in own_site.get("/experiments/a_letter").text
    ), "though the share who buy is no metric of it"


def test_what_is_not_due_yet_is_named(own_site: Site, writer: Warehouse) -> None:
    """Pounds are due thirty days after buyers: until then the page says so, and from when on."""
    change(
        writer,
        "update assignments set counts_from = "
        "(select date_trunc('day', max(last_invoice_at)) - interval '35 days' from invoice_totals)",
    )
    tell_experiments(writer)
    assert "Not due yet: net revenue per customer (" in own_site.get("/experiments/a_letter").text


def test_before_the_end_there_is_health_and_no_figure(own_site: Site, writer: Warehouse) -> None:
    change(writer, "update assignments set counts_from = '2011-07-01'")
    assert "No report yet: customers were drawn after the tables were last built" in own_site.get("/experiments").text
    tell_experiments(writer)
    html = own_site.get("/experiments/a_letter").text
    assert "Not due yet: it takes invoices up to the end of 2011-07-30, and the last whole day" in html
    assert "as drawn" in html
    assert "What came of it?" not in html
    assert own_site.get("/experiments/a_letter/result.csv").status == 404


def test_who_objected_is_counted_by_arm(own_site: Site, writer: Warehouse) -> None:
    """How many, as the report has it."""
    change(writer, "insert into marketing_exclusions select customer_id, 'objected', now() from assignments "
                   "where arm = 'letter' and experiment = 'a_letter' order by customer_id limit 3")  # fmt: skip
    tell_experiments(writer)
    arms = {row["arm"]: row["excluded"] for row in rows(own_site.get("/experiments/a_letter/arms.csv").text)}
    assert arms == {"letter": "3", "control": "0"}
    assert "3 customers objected to marketing or asked to be forgotten" in own_site.get("/experiments/a_letter").text


def test_a_hole_in_the_data_is_told(own_site: Site, writer: Warehouse) -> None:
    """By the page as by the report: the experiment began on 1 April, and some days may be missing."""
    change(
        writer, "delete from invoice_totals where last_invoice_at >= '2011-04-05' and last_invoice_at < '2011-04-25'"
    )
    tell_experiments(writer)
    html = own_site.get("/experiments/a_letter").text
    assert "The data has no invoice from 2011-04-05 to 2011-04-24: a dump may be missing. " in html
    assert "The data has no invoice from 5 Apr 2011 to 24 Apr 2011; the shop was never without one for so long" in html


def test_a_control_group_that_was_reached_is_told(own_site: Site, writer: Warehouse) -> None:
    assert "nobody, as it should be" in own_site.get("/experiments/a_letter").text
    change(
        writer,
        "insert into destination_members "
        "select 'webhook', 'lapsed_regulars', customer_id, 'p', 1, counts_from + interval '1 day' "
        "from assignments where arm = 'control' order by customer_id limit 2",
    )
    html = own_site.get("/experiments/a_letter").text
    assert "2 customers of the control group reached a destination" in html
    assert "2 customers of the control group were reached all the same." in html
    arms = {row["arm"]: row["reached"] for row in rows(own_site.get("/experiments/a_letter/arms.csv").text)}
    assert arms == {"letter": "0", "control": "2"}


def test_an_amendment_is_told(own_site: Site, writer: Warehouse) -> None:
    """Beside what was asked, which stays, and as it was written."""
    change(
        writer,
        "insert into experiment_amendments values "
        "('a_letter', 1, 'Sent by <b>second</b> post.', 'a strike', 'ana', '2011-06-20 10:00+00')",
    )
    html = own_site.get("/experiments/a_letter").text
    assert "Amended on 20 Jun 2011 by ana: Sent by &lt;b&gt;second&lt;/b&gt; post, because: a strike." in html


def test_a_list_that_reached_too_few_of_the_treated_is_told(own_site: Site, writer: Warehouse) -> None:
    """All of the control group would have been reached, and only one of the treated was. The result stands."""
    change(
        writer,
        "insert into held_out select experiment, customer_id, 1 from assignments where arm = 'control';"
        "update activation_plans set ended_at = (select min(counts_from) from assignments) where plan = 1;"
        "insert into destination_members "
        "select 'webhook', 'lapsed_regulars', customer_id, 'p', 1, counts_from + interval '1 day' "
        "from assignments where arm = 'letter' order by customer_id limit 1",
    )
    html = own_site.get("/experiments/a_letter").text
    assert "1 of the treated were sent to a destination, and " in html
    assert "took customers out of one arm. All still count as they were assigned." in html


def test_arms_that_are_not_of_the_sizes_drawn_have_no_result(own_site: Site, writer: Warehouse) -> None:
    """Everybody is assigned as they were, and the data has lost most of the control group."""
    assert "NOT as drawn" not in own_site.get("/experiments/a_letter").text
    change(
        writer,
        "delete from customer_profile using assignments where assignments.customer_id = customer_profile.customer_id "
        "and arm = 'control' and customer_profile.customer_id > 17005",
    )
    tell_experiments(writer)
    html = own_site.get("/experiments/a_letter").text
    assert "No result: the arms are not of the sizes that were drawn: control " in html
    assert "NOT as drawn" in html
    assert "What came of it?" not in html
    arms = {row["arm"]: row for row in rows(own_site.get("/experiments/a_letter/arms.csv").text)}
    assert int(arms["control"]["known"]) < 5 < int(arms["control"]["customers"])
    assert arms["letter"]["known"] == arms["letter"]["customers"]


def look_twice(warehouse: Warehouse, *, days: int, first: int = 1, seed: int = 0) -> None:
    """Declares two looks, and treats half of the customers: of a row in which buyers come first, those from `first`."""
    change(
        warehouse,
        f"""
        update experiments
        set days = {days}, declaration = replace(
            replace(declaration, 'days = 30', 'days = {days}'), 'block_size = 4', E'block_size = 4\\nlooks = [20, 40]'
        );
        update assignments
        set
            counts_from = '2011-04-10',
            assigned_at = '2011-04-10',
            block = 'all',
            arm = case when place between {first} and {first} - 1 + half then 'letter' else 'control' end
        from (
            select
                customer_id,
                row_number() over (order by buys desc nulls last, md5(customer_id || '{seed}')) as place,
                count(*) over () / 2 as half
            from assignments
            left join (
                select distinct customer_id, true as buys
                from invoice_totals
                where last_sale_at >= '2011-04-10' and last_sale_at < '2011-05-20'
            ) as buyers using (customer_id)
        ) as ranked
        where ranked.customer_id = assignments.customer_id
        """,
    )
    tell_experiments(warehouse)


def test_an_effect_at_a_declared_look_is_shown(own_site: Site, writer: Warehouse) -> None:
    """Its answer, though the result is not due; of the result itself there is no figure."""
    look_twice(writer, days=90)
    html = own_site.get("/experiments/a_letter").text
    assert "An effect shows at the declared look after 40 days. The letter worked: within 40 days it probably" in html
    assert "An effect shows at the declared look after 40 days" in own_site.get("/experiments/experiments.csv").text
    assert "before that, only an effect that shows after 20 or 40 days" in html
    assert own_site.get("/experiments/a_letter/result.csv").status == 404


def test_an_effect_is_judged_by_what_the_looks_leave(own_site: Site, writer: Warehouse) -> None:
    """One that would show at 5 of 100, and does not at what is left of them, is none on the page."""
    look_twice(writer, days=60, first=8, seed=6)
    (found,) = writer.rows("select * from experiment_results where role = 'primary'")
    assert found.level < found.p_value <= 0.05
    html = own_site.get("/experiments/a_letter").text
    assert "No effect is shown: within 60 days" in html
    assert html.count(f"at 95 % ({100 - 100 * found.level:.4g} % for all customers by the primary metric") == 2


def test_what_they_do_anyway_is_that_of_the_history(own_site: Site, writer: Warehouse) -> None:
    assert "covers no window of six whole months" in own_site.get("/experiments").text
    change(writer, "delete from natural_return")
    change(
        writer,
        "insert into natural_return values ('Champions', '2011-01-01', 6, 100, 80, 10, 1300, null, 10, 1234.5, null), "
        "('Champions', '2011-01-01', 3, 100, 70, 10, 500, null, 10, 500, null), "
        "('Champions', '2010-12-01', 6, 50, 30, 10, 9, null, 10, 9, null), "
        "('At Risk', '2011-01-01', 6, 20, 5, 10, 9, null, 10, 9, null)",
    )
    shown = {row["segment"]: row for row in rows(own_site.get("/experiments/anyway.csv").text)}
    champions = shown["Champions"]
    assert (champions["came_back_6"], champions["came_back_3"]) == ("80.0", "70.0")
    assert (champions["range_6"], champions["starts"], champions["net_6"]) == ("60–80 %", "2", "1234.5")
    assert shown["At Risk"]["came_back_6"] == "too few to say"
    assert list(shown) == ["Champions", "At Risk"]
    assert "an invoice that the data holds twice counted once" in own_site.get("/experiments").text
    only = rows(own_site.get("/experiments/anyway.csv?segment=At+Risk").text)
    assert [row["segment"] for row in only] == ["At Risk"]


def test_lists_have_what_is_expected_where_it_is_built(own_site: Site, writer: Warehouse) -> None:
    change(writer, "delete from customer_value")
    change(
        writer,
        "insert into customer_value select customer_id, 182, '2011-07-06', 'm', null, 0, 1, 2, 0, customer_id - 17000, "
        "1000, 0, customer_id - 17000, 1, 1 from customer_profile",
    )
    change(
        writer,
        "insert into churn_risk select customer_id, '2011-07-06', '2011-10-04', 'm', 'At Risk', risk, band, 1, true, "
        "'a', 'b', 'c', '2011-05-01', '2011-05-11', 20, 5, 1 from (values (17001, 0.1, 'low'), (17002, 0.5, 'medium'), "
        "(17003, 0.9, 'high')) as risks (customer_id, risk, band)",
    )
    shown = rows(own_site.get("/customers/customers.csv?as_of=2011-07&sort=risk_band").text)
    assert [(row["customer_id"], row["risk_band"], row["value"]) for row in shown[:3]] == [
        ("17003", "high", "3"), ("17002", "medium", "2"), ("17001", "low", "1"),
    ]  # fmt: skip
    assert shown[0]["expected_next_day"] == "2011-05-11"
    assert "Nothing is predicted of customers yet" in own_site.get("/customers").text
    change(writer, "update model_cards set unavailable_because = null, model = 'm'")
    change(writer, "update publications set published_at = now() where table_name = 'model_cards'")
    assert (
        "Predicted from what was known on 5 Jul 2011, for the days from 1 Aug 2011 on"
        in own_site.get("/segments/champions?as_of=2011-05").text
    )
    change(writer, "delete from publications where table_name = 'churn_risk'")
    assert "risk_band" not in own_site.get("/customers/customers.csv?sort=risk_band").text


def test_what_a_list_was_last_found_to_hold(own_site: Site, writer: Warehouse) -> None:
    """Drift: the last reading counts, and nobody is named."""
    change(
        writer,
        "insert into list_drift values ('webhook', 'first_to_see', '2012-01-02', 3, 5, 9, 9, 9, null), "
        "('webhook', 'first_to_see', '2012-01-03', 3, 5, 1, 3, 2, 4)",
    )
    (row,) = rows(own_site.get("/campaigns/first_to_see/held.csv").text)
    assert (row["missing"], row["not_ours"], row["objected"], row["unknown"]) == ("1", "3", "2", "4")


def test_a_deletion_that_waits_is_of_every_list(own_site: Site, writer: Warehouse) -> None:
    """It says where and how it goes on, and not of whom it is."""
    change(
        writer,
        "insert into activation_plans (destination, audience, audience_version, publication, adds, updates, removes, "
        "left_out, held_before, digest, state, made_by, made_at) values ('klaviyo', '', '', '', 0, 0, 1, '{}', 1, "
        "repeat('0', 64), 'applying', 'ana', now())",
    )
    html = own_site.get("/campaigns").text
    assert "a deletion at klaviyo" in html and 'href="/campaigns/"' not in html
    assert rows(own_site.get("/campaigns/plans.csv").text)[0]["audience"] == "every list"


@pytest.mark.parametrize(("hours", "is_told"), [(47, "To go on where it stopped"), (49, "It is too old to apply")])
def test_a_plan_that_was_broken_off_says_what_can_be_done(
    own_site: Site, writer: Warehouse, hours: int, is_told: str
) -> None:
    """Only for two days can it be finished; who began it, and what it was allowed, is told beside it."""
    change(
        writer,
        f"update activation_plans set state = 'applying', made_at = now() - interval '{hours} hours', "
        "applied_by = 'ben as lgs', applied_at = now(), allowed = jsonb_build_object('removals', 390) where plan = 2",
    )
    html = own_site.get("/campaigns").text
    assert is_told in html and ("lgs activate apply 2" in html) == ("lgs activate cancel 2" in html) == (hours < 48)
    (row,) = [row for row in rows(own_site.get("/campaigns/plans.csv").text) if row["plan"] == "2"]
    assert (row["allowed"], row["applied_by"]) == ("removals 390", "ben as lgs")
    assert row["state"] == ("applying" if hours < 48 else "too old to apply")
    change(writer, "update activation_plans set audience_version = '' where plan = 2")
    html = own_site.get("/campaigns").text
    assert "lgs activate apply 2" in html and "lgs activate cancel" not in html  # of those who must leave
