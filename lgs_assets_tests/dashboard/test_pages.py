"""Every page over HTTP, on real tables: what it shows, what it costs, and what it says when something is wrong."""

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from html import unescape
from itertools import groupby
from random import Random
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lgs_assets import wording
from lgs_assets.charts import style
from lgs_assets.charts.style import BLUE, ORANGE
from lgs_assets.checks.findings import Finding, record
from lgs_assets.configuration import Settings
from lgs_assets.contracts import contract, declaration
from lgs_assets.contracts.model import tables_in
from lgs_assets.dashboard.app import KEPT_BYTES, PAGES
from lgs_assets.dashboard.bar import chips
from lgs_assets.dashboard.content import compared
from lgs_assets.dashboard.figures.lines import Spark, sparks
from lgs_assets.dashboard.figures.shapes import PALE, RAMP, Line, Text
from lgs_assets.dashboard.filters import PICKING, Filters
from lgs_assets.dashboard.pages import overview, parts, segments
from lgs_assets.dashboard.queries import ALWAYS_READ, AUDIENCES, Segment
from lgs_assets.demo import DEMO_DUMP
from lgs_assets.escaping import csv_cell
from lgs_assets.warehouse.costs import Cost, keep_costs
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.builders import build_tables
from lgs_assets_tests.dashboard.conftest import COUNTRIES, CUSTOMERS, SCRIPT, TURNED, Site, check_budget, serve

HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
"""The SHA-256 of dist/htmx.min.js in the package htmx.org 4.0.1."""
ITEMS = {"/segments/{item}": "champions", "/customers/{item}": "17003", "/invoices/{item}": "500000",
         "/report/{item}": "champions", "/data/{item}": "rfm_history", "/campaigns/{item}": "first_to_see",
         "/experiments/{item}": "a_letter"}  # fmt: skip
PAGE_OF = {page.path.replace("{item}", ITEMS.get(page.path, "")): page for page in PAGES}
PATHS = [*PAGE_OF]
FILTERED = "?" + urlencode({"as_of": "2011-05", "country": "Germany", "first_bought": "2011-Q1"})
SEGMENTS = ("Champions", "Loyal Customers", "Potential Loyalists", "New Customers", "Promising", "Need Attention",
            "About to Sleep", "At Risk", "Can't Lose", "Hibernating")  # fmt: skip


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", FILTERED])
def test_a_page_keeps_its_budget(site: Site, path: str, query: str) -> None:
    check_budget(site, path + query)


def test_scripts_are_few_and_the_one_of_others_is_as_it_was_published(site: Site) -> None:
    scripts = re.findall(r'<script src="([^"?]+)', site.get("/").text)
    answers = {path: site.get(path) for path in scripts}
    assert {answer.status for answer in answers.values()} == {200}
    assert sum(answer.sent for answer in answers.values()) <= 40_000
    assert sha256(answers["/static/htmx-4.0.1.min.js"].body).hexdigest() == HTMX


@pytest.mark.parametrize("path", PATHS)
def test_a_page_holds_no_script_no_style_and_no_markup_of_others(site: Site, path: str) -> None:
    html = site.get(path + "?" + urlencode([("country", SCRIPT), ("country", TURNED)])).text
    assert SCRIPT not in html
    assert "<b>FELT</b>" not in html
    assert "\u202e" not in re.sub(r'value="[^"]*"', "", html), "it turns round the text after it"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=|javascript:", html)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", html)


def test_hostile_text_is_shown_as_it_is(site: Site) -> None:
    """And a mark that cannot be seen as its escape; of a name that runs from right to left, only itself is turned."""
    assert "&lt;script&gt;" in site.get("/customers").text
    assert "&lt;b&gt;FELT&lt;/b&gt;" in site.get("/customers/17002").text
    assert r"\u202eSTROBIN" in site.get("/customers/17001").text
    written = TURNED.replace("\ue000", r"\ue000")
    listed = site.get("/customers?" + urlencode({"country": TURNED})).text
    assert f">{written}<" in listed
    assert f'value="{TURNED}" checked>' in listed, "what a form sends back is the country itself"
    for path in ("/customers/17063", "/invoices/500630"):
        assert f"<bdi>{written}</bdi> ·" in site.get(path).text
    assert "march &lt;b&gt;2011&lt;/b&gt;.sql" in site.get("/data").text


def test_headers_keep_a_browser_to_showing(site: Site) -> None:
    headers = site.get("/customers/17003").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_sent(site: Site, method: str) -> None:
    assert site.get("/customers", method=method).status == 405


def test_head_answers_like_get_without_a_body(site: Site) -> None:
    answer = site.get("/", method="HEAD")
    assert (answer.status, answer.sent) == (200, 0)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "dashboard.example:8050"])
def test_other_names_are_refused(site: Site, host: str) -> None:
    assert site.get("/", host=host).status == 400


@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_page_is_not_sent_again(site: Site, path: str) -> None:
    tag = site.get(path).headers["etag"]
    answer = site.get(path, If_None_Match=tag)
    assert (answer.status, answer.sent) == (304, 0)
    if not PAGE_OF[path].is_live:  # what changes between builds is read anew each time
        assert len(site.statements) == 2, "the locks and the versions of the tables, and nothing else"
    assert site.get(path + "?as_of=2011-04", If_None_Match=tag).status in (200, 307)


@pytest.mark.parametrize("path", [path for path in PATHS if not PAGE_OF[path].is_live])
def test_a_page_that_is_kept_reads_only_tables_that_it_names(site: Site, path: str) -> None:
    """It is made again when one of them is built; when somebody objects, if it names the audiences."""
    page = PAGE_OF[path]
    named = {*page.tables, *page.wished, *ALWAYS_READ, "publications", "dumps", "check_results"}
    if AUDIENCES in page.tables:
        named |= {"marketing_exclusions", "assignments", "experiments"}
    assert site.get(path).status == 200
    selects = [re.sub(r"%\(\w+\)s(::\w+)?", "null", statement) for statement in site.statements[1:]]
    found = set[str]().union(*map(tables_in, selects)) & {*contract.tables()}
    assert "publications" in found
    assert found <= named


def test_a_page_that_another_has_asked_for_is_not_made_again_until_a_table_is(own_site: Site) -> None:
    for keeping in serve(own_site.tables, kept_bytes=KEPT_BYTES):
        first = keeping.get("/segments")
        again = keeping.get("/segments")
        assert again.body == first.body
        assert len(keeping.statements) == 2
        writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
        with writer.transaction() as connection:
            connection.execute(sa.text("update publications set published_at = now(), row_count = 7"))
            connection.execute(sa.text("delete from rfm_history where customer_id = 17003"))
        writer.engine.dispose()
        assert keeping.get("/segments").body != first.body
        for path in ("/cohorts", "/customers", "/movements"):
            assert keeping.get(path).status == 200


@pytest.mark.parametrize("path", ["/customers", "/customers/17003", "/segments/champions", "/outlook"])
def test_a_kept_page_is_made_again_when_somebody_objects(own_site: Site, path: str) -> None:
    """No table is rebuilt for it, yet whoever copies the list must see it."""
    for keeping in serve(own_site.tables, kept_bytes=KEPT_BYTES):
        tag = keeping.get(path).headers["etag"]
        assert keeping.get(path, If_None_Match=tag).status == 304
        writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
        with writer.transaction() as connection:
            connection.execute(sa.text("insert into marketing_exclusions values (17003, 'objected', now())"))
        writer.engine.dispose()
        assert keeping.get(path, If_None_Match=tag).status == 200
        assert keeping.get(path).headers["etag"] != tag


def test_a_page_is_made_again_when_another_table_is_built_for_the_first_time(own_site: Site) -> None:
    """The filters that it offers depend on that."""
    tag = own_site.get("/cohorts").headers["etag"]
    warehouse = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with warehouse.transaction() as connection:
        assert connection.execute(sa.text("delete from publications where table_name = 'churn_risk'")).rowcount
    assert own_site.get("/cohorts", If_None_Match=tag).status == 200
    warehouse.engine.dispose()


def test_a_page_is_made_again_when_a_check_fails_and_not_when_it_ran_again(own_site: Site) -> None:
    """A run has a check after each table: pages that say the same of it are the same."""
    warehouse = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    record(warehouse, [Finding("rfm_history", "scores", "blocking", 0, 0)])
    tag = own_site.get("/movements").headers["etag"]
    record(warehouse, [Finding("rfm_history", "scores", "blocking", 0, 0)])
    assert own_site.get("/movements", If_None_Match=tag).status == 304
    record(warehouse, [Finding("rfm_history", "scores", "blocking", 1, 0)])
    assert own_site.get("/movements", If_None_Match=tag).status == 200
    warehouse.engine.dispose()


def test_a_kept_page_is_unpacked_for_who_cannot_unpack_it(site: Site) -> None:
    for keeping in serve(site.tables, kept_bytes=KEPT_BYTES):
        packed = keeping.get("/segments")
        plain = keeping.get("/segments", Accept_Encoding="identity")
        assert (packed.headers["content-encoding"], plain.headers.get("content-encoding")) == ("gzip", None)
        assert plain.body == packed.body
        assert "Accept-Encoding" in packed.headers["vary"]


def test_a_rebuilt_table_is_sent_again(own_site: Site) -> None:
    tag = own_site.get("/segments").headers["etag"]
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.execute(sa.text("update publications set published_at = now() where table_name = 'rfm_history'"))
    writer.engine.dispose()
    assert own_site.get("/segments", If_None_Match=tag).status == 200


def test_what_a_page_shows_is_named_by_its_tag(own_site: Site) -> None:
    """Also that of pages which name tables that they do not read: a report names the build of all."""
    before = {path: own_site.get(path) for path in PATHS}
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        rebuilt = "update publications set version = repeat('1', 64), published_at = now() + interval '1 hour'"
        connection.execute(sa.text(f"{rebuilt} where table_name = 'seasonality'"))
    writer.engine.dispose()
    sent_again = set()
    for path, answer in before.items():
        after = own_site.get(path)
        if after.headers["etag"] != answer.headers["etag"]:
            sent_again.add(path)
        else:
            assert re.findall("(?s)<main.*</main>", after.text) == re.findall("(?s)<main.*</main>", answer.text), path
    assert {"/report", "/report/champions", "/data"} <= sent_again
    assert "/segments" not in sent_again


def test_the_pages_need_no_library_of_numerics() -> None:
    """Nor Dagster: imported, they would double the memory of the process, whose budget is 100 MB."""
    script = "import sys; import lgs_assets.dashboard.serve; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert "lgs_assets.dashboard.app" in loaded
    assert {"pandas", "numpy", "pyarrow", "matplotlib", "dagster"}.isdisjoint(loaded)


@pytest.mark.parametrize(
    "query",
    ["as_of=1999-01", "country=Atlantis", "segment=<script>", "from=nowhere", "page=-1", "sort=1;--", "country=%00",
     "x=" + "y" * 500, "r=6&f=0", "first_bought=2000-Q1", "step=0", "risk=deadly", "%ff=%fe"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/customers", "/movements"])
def test_what_an_address_asks_for_in_vain_is_told(site: Site, path: str, query: str) -> None:
    answer = site.get(f"{path}?{query}")
    assert answer.status == 200
    told = re.findall(r'<p class="notice">([^<]*)', answer.text)
    assert len(told) == query.count("&") + 1
    assert all("left out" in notice for notice in told)


@pytest.mark.parametrize("path", ["/", "/customers", "/movements"])
@pytest.mark.parametrize("query", ["page=99999999", "customer=999999999", "within=1000000000&absent=1000000000"])
def test_numbers_beyond_all_that_there_is_do_no_harm(site: Site, path: str, query: str) -> None:
    assert site.get(f"{path}?{query}").status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [("/segments/kings", 404), ("/customers/0", 404), ("/customers/99999999999", 404), ("/customers/abc", 404),
     ("/invoices/none", 404), ("/invoices/%00", 400), ("/nowhere", 404), ("/customers/customers.exe", 404),
     ("/overview/nothing.csv", 404), ("/customers?country=" + "x" * 9000, 414), ("/static/../app.py", 404),
     ("/static/%2e%2e/app.py", 404)],
)  # fmt: skip
def test_what_is_not_there_is_said(site: Site, path: str, status: int) -> None:
    answer = site.get(path)
    assert answer.status == status
    assert "content-security-policy" in answer.headers


def test_a_form_as_it_is_sent_leads_to_the_one_address_of_its_view(site: Site) -> None:
    answer = site.get("/customers?as_of=2011-06&customer=&within=&country=Germany&country=EIRE", follows=False)
    assert answer.status == 307
    assert answer.headers["location"] == "/customers?country=EIRE&country=Germany"


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/report")] + ["/nowhere"])
def test_no_way_on_loses_a_filter(site: Site, path: str) -> None:
    """The navigation, the crumbs, the line on freshness and the foot of each page, that of an error among them."""
    query = urlencode([("country", "Germany"), ("segment", "Champions"), ("from", "Champions"), ("step", "3")])
    html = unescape(site.get(f"{path}?{query}").text)
    ways = (
        html.partition('<header class="masthead">')[2].partition("</header>")[0]
        + html.partition("<main")[2].partition('<div class="title"')[0]
    )
    ways += html.partition('<p class="fresh"')[2].partition("</section>")[0] + html.partition("<footer>")[2]
    links = re.findall(r'href="(/(?!static/)[^"]*)"', ways)
    assert len(links) >= 11
    kept = dict.fromkeys(("country=Germany", "segment=Champions", "from=Champions", "step=3"))
    for link in links:
        assert kept.keys() <= {*link.partition("?")[2].partition("#")[0].split("&")}, link


def test_a_comparison_that_is_on_has_a_chip_on_every_page(site: Site) -> None:
    """And the columns that hang on it say which month they compare with, in files as well."""
    assert 'aria-label="Remove Compared with 3 months before"' in site.get("/?step=3").text
    assert ">Change on Mar 2011<" in site.get("/segments?step=3").text
    assert "do nothing here: Compared with 3 months before." in site.get("/cohorts?step=3").text


def test_the_list_of_a_segment_is_of_that_segment(site: Site) -> None:
    """By the button on its page, with the other filters of it."""
    html = site.get("/segments/loyal-customers?as_of=2011-05").text
    (link, told), *others = re.findall(r'<a class="button" href="([^"]*)">The list of (\d+) customers?</a>', html)
    assert not others
    assert len(rows(site.get(unescape(link).replace("/customers", "/customers/customers.csv")).text)) == int(told) > 0


def test_a_printed_segment_has_its_first_customers_whichever_page_was_looked_at(site: Site) -> None:
    html = site.get("/segments/champions?page=2&customer=17003&as_of=2011-07&sort=recency_days").text
    (link,) = re.findall(r'href="(/report/champions[^"]*)"', html)
    assert unescape(link) == "/report/champions?as_of=2011-07&sort=recency_days"
    first, beyond = (site.get(f"/report/champions?as_of=2011-07{more}").text for more in ("", "&page=2&customer=17003"))
    people = re.compile(r'<th scope="row"><a href="/customers/(\d+)')
    assert people.findall(beyond) == people.findall(first) != []


@pytest.mark.parametrize("path", ["/", "/segments", "/segments/champions", "/movements", "/customers", "/report",
                                  "/campaigns/first_to_see"])  # fmt: skip
def test_nobody_is_told_with_the_filters_to_take_away(site: Site, path: str) -> None:
    html = site.get(f"{path}?country=EIRE&spent=999999").text
    if path != "/report":
        assert "No customer matches EIRE + £999,999 or more before returns." in html
        assert html.count('<a class="button quiet" href="' + path + "?spent=999999") == 1
        assert '<p class="picked" role="status">0 customers</p>' in html
    assert "No customer matches" not in site.get(path).text


@pytest.mark.parametrize("path", ["/", "/segments", "/segments/champions", "/movements", "/customers",
                                  "/campaigns/first_to_see"])  # fmt: skip
def test_how_many_customers_are_picked_is_announced(site: Site, market: Warehouse, path: str) -> None:
    """To those who do not see it change: a live region of every page whose figures are of those customers."""
    told = re.findall(r'<p class="picked" role="status">(\d+) customers?</p>', site.get(path).text)
    (all_of_them,) = market.rows("select count(*) as n from rfm_history where snapshot_date = '2011-07-01'")
    assert len(told) == 1
    assert path.count("/") > 1 or int(told[0]) == all_of_them["n"]


@pytest.mark.parametrize(
    ("path", "said"),
    [("/cohorts", "Not here: Country, Segment, Risk. Cohorts always hold all customers of a month."),
     ("/campaigns", "Not here: As of. Members are those of the end of the data."),
     ("/segments/champions", "Not here: Segment. The page is of one segment."), ("/", "")],
)  # fmt: skip
def test_filters_that_a_page_does_not_offer_are_named_with_the_reason(site: Site, path: str, said: str) -> None:
    assert "".join(re.findall(r'<p class="off">([^<]*)</p>', site.get(path).text)) == said


@pytest.mark.parametrize("path", ["/segments/champions", "/campaigns/first_to_see", "/customers"])
def test_a_list_keeps_its_order_and_columns_when_a_filter_is_changed(site: Site, path: str) -> None:
    html = site.get(f"{path}?sort=recency_days&order=up&column=recency_days&column=segment").text
    sent = re.findall(r'<input type="hidden" name="(sort|order)" value="([^"]*)">', html)
    assert sent == [("sort", "recency_days"), ("order", "up")]
    assert re.findall(r'name="column" value="(\w+)" checked', html) == ["segment", "recency_days"]


def test_columns_of_today_are_named_where_another_month_is_looked_at(site: Site) -> None:
    said = "As of 5 Jul 2011, whatever month is looked at: Country, Typical order."
    assert said in site.get("/customers?as_of=2011-03").text
    assert said in site.get("/segments/champions").text
    assert "whatever month is looked at" not in site.get("/customers?as_of=2011-07").text


@pytest.mark.parametrize("path", ["/customers", "/segments/loyal-customers"])
def test_a_list_is_marked_by_the_column_that_it_is_sorted_by(site: Site, path: str) -> None:
    """Net of returns is not known of an earlier month: it is not offered, and told of only where it is asked for."""
    for query, is_told in (("", True), ("&sort=net_revenue&column=country", True), ("&column=country", False)):
        html = site.get(f"{path}?as_of=2011-05{query}").text
        assert 'name="column" value="net_revenue"' not in html
        assert ("Net of returns is shown as of" in html) == is_told
    html = site.get(f"{path}?as_of=2011-05&sort=net_revenue").text
    assert re.findall(r'aria-sort="descending">\s*<a [^>]*>([^<]*)', html) == ["Sales before returns "]
    html = site.get(f"{path}?as_of=2011-07&sort=net_revenue").text
    assert re.findall(r'aria-sort="descending">\s*<a [^>]*>([^<]*)', html) == ["Net of returns "]
    assert 'name="column" value="net_revenue"' in html


@pytest.mark.parametrize("path", ["/customers/customers", "/segments/loyal-customers/customers", "/segments/segments"])
def test_net_of_returns_never_stands_beside_sales_of_an_earlier_day(site: Site, path: str) -> None:
    """It is known of the end of the data only, and would be more than all that was bought until then."""
    (early, *_), (late, *_) = (rows(site.get(f"{path}.csv{query}").text) for query in ("", "?as_of=2011-07"))
    assert "net_revenue" not in early and "net_revenue" in late
    said = "Net of returns is shown as of 5 Jul 2011 only."
    pages = [site.get(path.rpartition("/")[0] + query).text for query in ("", "?as_of=2011-07")]
    assert [said in html for html in pages] == [True, False]


def test_what_is_to_do_is_of_the_end_of_the_data_unless_a_month_is_chosen(site: Site, market: Warehouse) -> None:
    """Whoever has ordered since the last month end must not be called; and each sum is named."""
    for query, snapshot, said in (
        ("", "2011-08-01", "As of 5 Jul 2011, the end of the data."),
        ("?as_of=2011-05", "2011-06-01", "As of the end of May 2011."),
    ):
        tasks = site.get(f"/{query}").text.partition('class="tasks"')[2].partition("</section>")[0]
        assert said in tasks
        (known,) = market.rows(
            f"select count(*) as n from rfm_history where segment = 'Can''t Lose' and snapshot_date = '{snapshot}'"
        )
        link, told = next(found for found in COUNTED.findall(tasks) if "Lose" in found[0] and "from=" not in found[0])
        listed = rows(site.get(unescape(link).replace("/customers?", "/customers/customers.csv?")).text)
        assert len(listed) == int(told) == known["n"] > 0
        whys = re.findall(r"</a><span>([^<]*)", tasks)
        assert whys and all(re.match(r"£[\d,]+ of sales before returns", why) for why in whys)
    assert "have ordered once" not in site.get("/").text  # F 1 is a fifth of the customers, and no number of orders


IN_VAIN = ("as_of=1999-01", "country=Atlantis", "segment=Kings", "first_bought=1999-Q1", "from=nowhere", "step=0",
           "r=6", "f=0", "within=x", "absent=x", "orders=x", "orders_to=x", "spent=x", "spent_below=x", "risk=deadly",
           "tenth=11", "customer=x", "contry=Germany")  # fmt: skip
"""Filters that are left out, one of each key and one that is misspelt."""


def test_no_file_is_made_without_a_filter_that_it_was_asked_for_with(site: Site) -> None:
    """It would be of everybody, and has no place to say so; nor is a kept page an answer to its address."""
    assert {query.partition("=")[0] for query in IN_VAIN} - {"contry"} == PICKING
    for keeping in serve(site.tables, kept_bytes=KEPT_BYTES):
        for query in IN_VAIN:
            for file in ("customers.csv", "customers.xlsx", "nothing.svg"):
                answers = [keeping.get(f"/customers/{file}?{query}") for _ in range(2)]
                assert [answer.status for answer in answers] == [400, 400], query
                assert "left out" in answers[0].text and "content-disposition" not in answers[0].headers
        assert keeping.get("/customers/customers.csv?country=Germany").status == 200


def test_no_file_is_made_with_a_filter_that_does_nothing_in_it(site: Site) -> None:
    """It would be of all; the way to the page is offered, which says so."""
    answer = site.get("/cohorts/retention.csv?country=Germany")
    assert (answer.status, "These filters do nothing here: Germany." in answer.text) == (400, True)
    assert '<a class="button" href="/cohorts?country=Germany">To the page itself</a>' in answer.text
    assert '<a class="button" href="/?country=Atlantis">' in site.get("/overview/sales.csv?country=Atlantis").text


@pytest.mark.parametrize("path", PATHS)
def test_every_file_that_a_page_offers_is_made_whatever_filters_are_on(site: Site, path: str) -> None:
    html = unescape(site.get(f"{path}?as_of=2011-05&country=Germany&segment=Champions&step=3&risk=high").text)
    for link in re.findall(r'href="([^"]+\.csv(?:\?[^"]*)?)"', html):
        assert site.get(link).status == 200, link


def test_no_file_is_made_by_predictions_that_are_not_there(own_site: Site) -> None:
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.exec_driver_sql("delete from publications where table_name in ('churn_risk', 'customer_value')")
    writer.engine.dispose()
    for query in ("risk=high", "tenth=1"):
        assert "Nothing is predicted of customers yet" in own_site.get(f"/customers?{query}").text
        answer = own_site.get(f"/customers/customers.csv?{query}")
        assert (answer.status, "Nothing is predicted of customers yet" in answer.text) == (400, True)


@pytest.mark.parametrize("path", ["/report", "/report/champions"])
def test_a_printed_sheet_says_which_filter_was_left_out(site: Site, path: str) -> None:
    """On paper, where what is for the screen only is gone."""
    html = site.get(f"{path}?country=Atlantis").text
    assert "Atlantis is not in the data" not in re.sub(r"(?s)<section.*</section>", "", html)
    assert "Atlantis is not in the data" in html.partition('<section class="sheet"')[2]


def test_a_comparison_that_leaves_out_second_copies_says_so(site: Site) -> None:
    """Net sales hold them, as the published figure does."""
    assert "compared with doubled invoices counted once: £" in site.get("/?as_of=2011-05").text
    assert re.search(r"compared with doubled invoices counted once</span>", site.get("/?as_of=2011-06").text)
    assert "compared with doubled" not in site.get("/?as_of=2011-04").text


def test_the_median_of_all_customers_is_marked_beside_a_segment(site: Site, market: Warehouse) -> None:
    """By a line in its column, and in words."""
    (known,) = market.rows(
        "select percentile_disc(0.5) within group (order by frequency) as orders from rfm_history "
        "where snapshot_date = '2011-07-01'"
    )
    html = site.get("/segments/champions").text
    figure = html.partition('id="orders"')[2].partition("</figure>")[0]
    assert f"Dashes: the median of all customers, {known['orders']}." in figure
    (line,) = re.findall(r'<line x1="([\d.]+)%"[^>]*stroke-dasharray', figure)
    column = rf'<rect x="([\d.]+)%"[^>]* width="([\d.]+)%"[^>]*><title>Orders {known["orders"]}:'
    ((left, wide),) = re.findall(column, figure)
    assert float(line) == pytest.approx(float(left) + float(wide) / 2, abs=0.01)


def test_a_median_is_of_those_whom_the_filters_pick_or_of_too_few_to_say(site: Site) -> None:
    few, many = (site.get(f"/segments/hibernating?country=EIRE{more}").text for more in ("", "&country=Germany"))
    assert few.count("The median of all customers (EIRE) is not shown: too few customers.") == 3
    assert "stroke-dasharray" not in few.partition('id="spent"')[2].partition('id="countries"')[0]
    assert many.count("Dashes: the median of all customers (EIRE, Germany), ") == 3


def test_nothing_is_compared_with_the_month_in_which_the_data_begins_and_all_are_new(site: Site) -> None:
    numbers = site.get("/?as_of=2011-02").text.partition("<dt>New customers</dt>")[2].partition("</dd>")[0]
    assert "nothing to compare with in Jan 2011" in numbers


@pytest.mark.parametrize("path", ["/segments", "/segments/champions", "/movements", "/customers", "/report/champions"])
def test_where_nothing_is_known_of_a_step_before_the_page_says_why_all_are_new(site: Site, path: str) -> None:
    said = "There is no snapshot as of the end of Dec 2010: the data begins later, and everybody seems new."
    assert said in site.get(f"{path}?as_of=2011-01").text
    assert "everybody seems new" not in site.get(f"{path}?as_of=2011-05").text


def test_where_no_product_can_be_compared_the_page_says_why(site: Site) -> None:
    """The market is not two years old: neither list of products has a row."""
    html = site.get("/products-countries").text
    said = (
        "the last three whole months, and the same months of the year before, must all be whole months with invoices."
    )
    assert html.count(f"Nothing to compare: {said}") == 2


def test_the_share_of_the_largest_customer_is_told_of_few_and_shaded_from_half_on(site: Site) -> None:
    told = rows(site.get("/products-countries/countries.csv").text)
    shares = [float(row["top_customer_pct"]) for row in told]
    assert [share for share, row in zip(shares, told, strict=True) if row["customers"] == "1"] == [100]
    table = site.get("/products-countries").text.partition('id="countries"')[2].partition("</table>")[0]
    assert re.findall(r'<td class="n( s3)?">([\d.]+ %)</td>', table) == [
        (" s3" if share >= 50 else "", f"{share:.1f} %") for share in shares
    ]
    assert min(shares) < 50


@pytest.mark.parametrize("path", ["/segments", "/segments/champions", "/movements"])
def test_what_a_change_is_on_can_be_chosen_where_changes_are_shown(site: Site, path: str) -> None:
    html = site.get(f"{path}?step=12").text
    assert '<option value="12" selected>a year before</option>' in html
    assert 'type="hidden" name="step"' not in html


def test_the_size_of_a_segment_has_its_change(site: Site) -> None:
    html = site.get("/segments/loyal-customers?as_of=2011-06&step=3").text
    told = {row["segment"]: row for row in rows(site.get("/segments/segments.csv?as_of=2011-06&step=3").text)}
    now, change = (int(told["Loyal Customers"][name]) for name in ("customers", "change"))
    assert f"<span>{now - change} in Mar 2011, {change:+} since</span>".replace("-", "−") in html


def test_the_change_of_a_segment_is_that_of_its_curve(site: Site) -> None:
    """Also with a filter that picks others now than it did then."""
    path, query = "/segments/champions", "?as_of=2011-06&within=30"
    *_, then, now = (int(row["customers"]) for row in rows(site.get(f"{path}/trend.csv{query}").text))
    assert f"<span>{then} in May 2011, {now - then:+} since</span>".replace("-", "−") in site.get(path + query).text
    same = next(row for row in rows(site.get(f"/segments/segments.csv{query}").text) if row["segment"] == "Champions")
    assert int(same["change"]) != now - then, "else the test proves nothing"


def test_who_joins_and_who_leaves_stands_beside_the_sizes(site: Site) -> None:
    both = [rows(site.get(f"/{page}/net.csv?as_of=2011-05&country=Germany").text) for page in ("segments", "movements")]
    assert both[0] == both[1]
    assert sum(int(row["joined"]) for row in both[0]) > 0


def test_the_small_lines_of_the_segments_have_their_values_beside_them(site: Site) -> None:
    """In words, in a table and in files: until the end of the data where its month is not over, then by a ring."""
    *_, last = rows(site.get("/segments/growth.csv?as_of=2011-07").text)
    sizes = {row["segment"]: row["customers"] for row in rows(site.get("/segments/segments.csv?as_of=2011-07").text)}
    shown = {name: size for name, size in sizes.items() if (slug(name) in last)}
    assert {slug(name): size for name, size in shown.items()} == {k: v for k, v in last.items() if k != "until"} != {}
    assert last["until"] == "2011-07-05"
    for month, rings in (("2011-07", len(shown)), ("2011-06", 0)):
        figure = site.get(f"/segments?as_of={month}").text.partition('id="growth"')[2].partition("</figure>")[0]
        assert len(re.findall(r'<circle [^>]*fill="white"', figure)) == rings
    assert f">{wording.counted(int(sizes['Champions']), 'customer')}<" in site.get("/segments?as_of=2011-07").text


def slug(segment: str) -> str:
    return segment.lower().replace("'", "").replace(" ", "_")


def test_what_is_loaded_can_be_taken_away(site: Site) -> None:
    (link,) = re.findall(r'href="(/data/dumps.csv)"', site.get("/data").text)
    assert [row["dump"] for row in rows(site.get(link).text)] == ["march <b>2011</b>.sql"]


def test_a_month_is_one_link_as_large_as_a_finger(site: Site) -> None:
    """Whatever is drawn of it: a column in two colours, or a dot."""
    for path, name in (("/", "sales"), ("/segments/hibernating", "trend")):
        figure = site.get(f"{path}?as_of=2011-07").text.partition(f'id="{name}"')[2].partition("</svg>")[0]
        links = re.findall(r'<a href="([^"]*)"[^>]*>\s*<rect [^>]*width="([\d.]+)%" height="([\d.]+)"', figure)
        assert len(links) == len({link for link, *_ in links}) == figure.count("<a ") == 7
        assert all(float(wide) > 100 / 8 and float(high) >= 24 for _, wide, high in links)


def test_the_keyboard_stops_at_each_invoice_of_a_customer_once(site: Site) -> None:
    """In the table: before it, a good customer's timeline would be hundreds of stops."""
    main = site.get("/customers/17003").text.partition("<main")[2]
    links = re.findall(r'<a href="(/invoices/[^"]*)"( tabindex="-1")?', main)
    drawn, listed = ({link for link, passed in links if bool(passed) is is_drawn} for is_drawn in (True, False))
    assert drawn == listed != set()


def test_a_stretch_of_a_timeline_is_told_in_letters_once_however_many_months_it_lasts(
    site: Site, market: Warehouse
) -> None:
    """By its name, or by its number in the key, where there is room for it: not by its colour alone."""
    months = [row["segment"] for row in market.rows(
        "select segment from rfm_history where customer_id = 17005 order by snapshot_date"
    )]  # fmt: skip
    stretches = [name for name, _ in groupby(months)]
    figure = site.get("/customers/17005").text.partition('id="timeline"')[2].partition("</figure>")[0]
    key = dict(re.findall(r"</svg> (\d+) ([^<]+)</li>", unescape(figure)))
    assert re.findall(r" until ([^<]*)</title>", figure)[-1] == "5 Jul 2011", "the data ends before its month"
    strip = re.findall(
        r"<title>([^<]*) until [^<]*</title></rect>\s+(?:</a>)?\s*<text[^>]*>([^<]+)</text>", unescape(figure)
    )
    assert [name for name, _ in strip] == stretches
    assert len(months) > len(stretches) > 1
    assert all(said == name or key[said] == name for name, said in strip)


def test_a_box_stands_out_from_the_page_and_from_the_box_beside_it(site: Site) -> None:
    """A light one by a line of ink on white, a dark one by a white line."""
    figure = site.get("/segments").text.partition('id="areas"')[2].partition("</figure>")[0]
    boxes = re.findall(r'<rect x=[^>]* fill="(#\w+)" stroke="([^"]+)" stroke-width="0.6">', figure)
    assert len(boxes) > 2
    assert all(stroke == style.ink_on(fill) for fill, stroke in boxes)


def test_a_filter_that_a_page_cannot_follow_is_told_and_kept(site: Site) -> None:
    html = site.get("/cohorts?country=Germany").text
    assert "These filters do nothing here: Germany" in html
    assert 'href="/segments?country=Germany"' in html


ONE_EACH = {"as_of": "2011-05", "country": "Germany", "segment": "Champions", "first_bought": "2011-Q1",
            "from": "Champions", "step": "3", "r": "5", "f": "5", "within": "30", "absent": "30", "orders": "4",
            "orders_to": "3", "spent": "20", "spent_below": "20", "risk": "high", "tenth": "1",
            "customer": "17003"}  # fmt: skip
"""A value of each filter."""
OF_PAGE = {
    "/campaigns/first_to_see": {"segment": "Hibernating", "from": "Hibernating", "r": "1", "f": "1", "within": "0",
                                "absent": "300", "orders": "99", "orders_to": "0", "spent": "99999",
                                "spent_below": "1"},
    "/report/champions": {"orders": "99", "spent": "99999", "orders_to": "0", "spent_below": "1"},
}  # fmt: skip
"""Others, where all customers of a page have that one."""
SVG = "{http://www.w3.org/2000/svg}"
PREDICTED = "/outlook"
"""What has nothing to filter before there are predictions."""


def figures(html: str) -> list[str]:
    """What the cells, the large numbers and the things to do of a page say, without where they lead."""
    found = re.findall(r"<(td|strong|li)\b[^>]*>(.*?)</\1>", html.partition("<main")[2], re.DOTALL)
    found += re.findall(r'<p class="(none)">(.*?)</p>', html, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", text) for _, text in found]


def check_each_filter(site: Site, path: str, **values: str) -> None:
    """Of each filter, that it changes the figures of a page or is named as one that does nothing, and never both."""
    plain = figures(site.get(path).text)
    for key, value in (ONE_EACH | values).items():
        query = urlencode({key: value})
        (chip,) = chips(Filters.parse([(key, value)])[0], path)
        html = site.get(f"{path}?{query}").text
        (told,) = re.findall(r"These filters do nothing here: ([^<]*)\.</p>", html) or [""]
        assert (figures(html) == plain) == (chip.text in told), (query, told)


def test_there_is_an_example_of_each_filter() -> None:
    assert ONE_EACH.keys() == PICKING


@pytest.mark.parametrize("path", [path for path in PATHS if path != PREDICTED])
def test_each_filter_changes_a_page_or_is_said_to_do_nothing(site: Site, path: str) -> None:
    loyal = path.replace("champions", "loyal-customers")  # all Champions have R 5
    check_each_filter(site, loyal, **OF_PAGE.get(path, {}))


def test_a_figure_that_a_filter_does_not_reach_says_so(site: Site) -> None:
    html = site.get("/products-countries?segment=Champions&country=EIRE").text
    figure = re.compile(r'^[^>]* id="(\w+)">.*?Not narrowed by these filters: ([^<]*)\.</p>', re.DOTALL)
    notes = {found[1]: found[2] for part in html.split("<figure") if (found := figure.match(part))}
    both = "EIRE, Champions"
    assert notes == {"products": "EIRE", "countries": "Champions", "rising": both, "falling": both, "pairs": both}


@pytest.mark.parametrize("path", ["/report", "/report/champions"])
def test_a_printed_sheet_names_its_filters(site: Site, path: str) -> None:
    assert "only: Germany, £20 or more before returns" in site.get(f"{path}?country=Germany&spent=20").text
    assert "only:" not in site.get(path).text


def test_a_form_keeps_the_filters_that_it_has_no_field_for(site: Site) -> None:
    kept = {"from": "Champions", "r": "5", "f": "5", "within": "90", "absent": "0", "orders": "2", "spent": "10"}
    kept |= {"orders_to": "9", "spent_below": "5000", "tenth": "3"}
    html = site.get("/movements?" + urlencode(kept)).text
    assert dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html)) == kept


@pytest.mark.parametrize("path", ["/customers/17002", "/invoices/599993"])
def test_the_last_steps_of_a_drill_keep_the_filters(site: Site, path: str) -> None:
    query = "country=Germany&spent=20"
    main = site.get(f"{path}?{query}").text.partition("<main")[2]
    links = re.findall(r'href="(/(?:invoices|customers)/\d+(?:\?[^"]*)?)"', main)
    assert links
    assert all(link.endswith(f"?{query.replace('&', '&amp;')}") for link in links), links


def test_countries_know_nothing_of_what_came_later(site: Site, market: Warehouse) -> None:
    shown = rows(site.get("/products-countries/countries.csv?as_of=2011-03").text)
    known = market.rows(
        "select country, count(distinct customer_id) as customers from clean_invoices "
        "where is_sale and invoice_date < '2011-04-01' group by country"
    )
    assert {row["country"]: int(row["customers"]) for row in shown} == {
        csv_cell(row["country"]): row["customers"] for row in known
    }


@pytest.mark.parametrize(("customers", "said"), [(29, "too few to say against Nov 2010"), (30, "+50.0 % on Nov 2010")])
def test_a_change_of_few_customers_is_no_percentage(customers: int, said: str) -> None:
    assert compared(3, 2, than="Nov 2010", customers=customers) == said


@pytest.mark.parametrize("path", ["/", "/segments", "/segments/champions", "/report", "/report/champions"])
def test_no_share_of_few_customers_is_written_anywhere(site: Site, path: str) -> None:
    html = site.get(f"{path}?country=EIRE&first_bought=2011-Q1").text
    assert not re.findall(r"[\d.]+ %", html.partition("<main")[2])


def test_segments_are_those_of_the_summary_to_the_penny(site: Site, market: Warehouse) -> None:
    shown = {row["segment"]: row for row in rows(site.get("/segments/segments.csv?as_of=2011-07").text)}
    for row in market.rows("select segment, customers, revenue, net_revenue from segment_summary"):
        found = shown[row["segment"]]
        assert int(found["customers"]) == row["customers"]
        assert Decimal(found["sales_before_returns"]) == row["revenue"]
        assert Decimal(found["net_revenue"]) == row["net_revenue"]


def test_months_are_those_of_the_metrics_to_the_penny(site: Site, market: Warehouse) -> None:
    shown = rows(site.get("/overview/sales.csv?as_of=2011-07").text)
    known = market.rows("select sales, sales_once, placed_orders from monthly_metrics order by invoice_month")
    columns = {"net_sales": "sales", "net_sales_doubled_once": "sales_once", "orders_placed": "placed_orders"}
    for name, column in columns.items():
        assert [Decimal(row[name]) for row in shown] == [row[column] for row in known]


def test_filtered_months_add_up_to_the_months_without_guests(site: Site, market: Warehouse) -> None:
    queries = [urlencode({"as_of": "2011-07", "country": name}) for name in COUNTRIES]
    shown = [row for query in queries for row in rows(site.get(f"/overview/sales.csv?{query}").text)]
    known = market.rows("select sum(line_total) as total from clean_invoices where customer_id is not null")
    assert sum(Decimal(row["net_sales"]) for row in shown) == known[0]["total"]


def test_moves_are_those_of_the_migrations(site: Site, market: Warehouse) -> None:
    known = market.rows(
        "select segment_to as segment, sum(customers) as customers from segment_migrations "
        "where step = 1 and snapshot_to = '2011-07-01' and segment_from = 'Champions' group by segment_to"
    )
    matrix = {row["from"]: row for row in rows(site.get("/movements/matrix.csv").text)}
    champions = {name: int(matrix["Champions"][name] or 0) for name in SEGMENTS}
    assert champions == dict.fromkeys(SEGMENTS, 0) | {row["segment"]: row["customers"] for row in known}


def test_any_two_moments_can_be_compared(site: Site, market: Warehouse) -> None:
    """Not only those of the migrations; causes are told of these alone."""
    known = market.rows(
        "select later.segment, count(*) as customers from rfm_history as later "
        "inner join rfm_history as earlier using (customer_id) "
        "where later.snapshot_date = '2011-07-01' and earlier.snapshot_date = '2011-02-01' "
        "and earlier.segment = 'Champions' group by later.segment"
    )
    query = "as_of=2011-06&step=5"
    matrix = {row["from"]: row for row in rows(site.get(f"/movements/matrix.csv?{query}").text)}
    champions = {name: int(matrix["Champions"][name] or 0) for name in SEGMENTS}
    assert champions == dict.fromkeys(SEGMENTS, 0) | {row["segment"]: row["customers"] for row in known}
    assert known
    html = site.get(f"/movements?{query}").text
    assert '<option value="5" selected>the end of Jan 2011</option>' in html
    assert "or for another time between" in html
    assert "or for another time between" not in site.get("/movements?as_of=2011-06&step=3").text


CHOICES = st.builds(
    Filters,
    as_of=st.sampled_from([None, *(f"2011-0{month}" for month in (2, 4, 7))]),
    countries=st.sets(st.sampled_from(COUNTRIES), max_size=2).map(lambda found: tuple(sorted(found))),
    segments=st.sets(st.sampled_from(SEGMENTS), max_size=3).map(lambda found: tuple(sorted(found))),
    cohorts=st.sampled_from([(), ("2011-Q1",), ("2011-Q2",)]),
    came_from=st.sampled_from([(), ("Champions", "Hibernating"), ("Loyal Customers",)]),
    r_score=st.sampled_from([None, 1, 5]),
    recency_to=st.sampled_from([None, 30, 100]),
    orders_from=st.sampled_from([None, 2]),
    orders_to=st.sampled_from([None, 5]),
    spent_from=st.sampled_from([None, 10, 5000]),
    spent_below=st.sampled_from([None, 300]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHOICES)
def test_list_figure_and_file_are_of_the_same_customers(site: Site, filters: Filters) -> None:
    query = filters.url("")
    html = site.get(f"/customers{query}", Cookie="").text
    told = re.search(r"<strong>([\d,]+) customers?</strong>, who spent (\S+)", html)
    assert told, html[-2000:]
    listed = rows(site.get(f"/customers/customers.csv{query}").text)
    figure = rows(site.get(f"/overview/segments.csv{query}").text)
    count, monetary = len(listed), sum((Decimal(row["sales_before_returns"]) for row in listed), Decimal(0))
    assert int(told[1].replace(",", "")) == count == sum(int(row["customers"]) for row in figure)
    assert sum(Decimal(row["sales_before_returns"]) for row in figure) == monetary


@pytest.mark.parametrize(
    "picked",
    ["country=Germany", "country=EIRE&first_bought=2011-Q1", "as_of=2011-07&first_bought=2011-Q2", "segment=Champions",
     "from=Champions", "r=5&f=5&as_of=2011-05", "as_of=2011-02&country=Germany", "as_of=2011-03&from=Champions"],
)  # fmt: skip
def test_groups_of_customers_are_what_the_customers_one_by_one_are(site: Site, picked: str) -> None:
    """Pages that read groups show the same where a filter of single customers is on that leaves nobody out."""
    nobody_left_out = f"{picked}&spent=0"
    for file in (
        *(
            "overview/sales",
            "overview/segments",
            "segments/grid",
            "segments/growth",
            "segments/net",
            "movements/matrix",
        ),
        *("movements/stake", "segments/champions/trend", "segments/champions/spent", "segments/champions/countries"),
        *("segments/champions/came_from", "segments/champions/customers", "customers/customers"),
    ):
        of_groups, one_by_one = (site.get(f"/{file}.csv?{query}") for query in (picked, nobody_left_out))
        if "segment=" in picked and file.startswith("segments/champions"):
            assert of_groups.status == one_by_one.status == 400  # the page is of that segment already
        else:
            assert of_groups.status == 200, file
            assert of_groups.text == one_by_one.text, file
    to_do = [figures(site.get(f"/?{query}").text) for query in (picked, nobody_left_out)]
    assert to_do[0] == to_do[1]


def test_the_bands_of_groups_are_those_that_pages_ask_for(market: Warehouse) -> None:
    (check,) = market.rows(
        "select pg_get_constraintdef(oid) as rule from pg_constraint where conname = 'customer_groups_spent_from_check'"
    )
    bands = [*map(int, re.findall(r"\d+", check["rule"]))]
    assert bands == [*segments.POUNDS]
    assert overview.WORTH in bands


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHOICES)
def test_the_change_of_a_segment_is_that_of_the_customers_who_are_shown(site: Site, filters: Filters) -> None:
    """And its curve ends at what the table counts."""
    listed = rows(site.get(replace(filters, segments=()).url("/customers/customers.csv")).text)
    told = {row["segment"]: row for row in rows(site.get(filters.url("/segments/segments.csv")).text)}
    assert told.keys() == {*(filters.segments or SEGMENTS)}
    for name, row in told.items():
        now, before = (sum(found[column] == name for found in listed) for column in ("segment", "segment_before"))
        assert (int(row["customers"]), int(row["change"])) == (now, now - before)
    name = next(iter(told))
    slug = name.lower().replace("'", "").replace(" ", "-")
    curve = rows(site.get(replace(filters, segments=()).url(f"/segments/{slug}/trend.csv")).text)
    assert curve[-1]["customers"] == told[name]["customers"]


COUNTED = re.compile(r'<a href="(/customers\?[^"]*)"[^>]*>[+−]?([\d,]+)(?![\d,.]|\s*%)[^<]*</a>')
"""A link to a list that says how many are on it: whatever begins with a number, unless that is a percentage."""


def check_counted(site: Site, path: str, found: list[tuple[str, str]]) -> None:
    for link, told in found:
        listed = rows(site.get(unescape(link).replace("/customers?", "/customers/customers.csv?")).text)
        assert len(listed) == int(told.replace(",", "")), (path, link)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHOICES, st.sampled_from(["/", "/segments", "/segments/loyal-customers", "/movements"]), st.randoms())
def test_a_number_that_leads_to_a_list_is_how_many_are_on_it(
    site: Site, filters: Filters, path: str, random: Random
) -> None:
    """Of every figure: bars, cells, moves and things to do."""
    found = COUNTED.findall(site.get(filters.url(path)).text)
    check_counted(site, filters.url(path), random.sample(found, min(6, len(found))))


@pytest.mark.parametrize(
    ("path", "query"),
    [("/", "segment=At+Risk&segment=Promising&step=3"), ("/", "from=Loyal+Customers&step=3"), ("/", "spent=30"),
     ("/segments/loyal-customers", "from=Champions&step=3"), ("/segments/loyal-customers", "customer=17044&step=3")],
)  # fmt: skip
def test_the_list_behind_a_number_keeps_the_filters_that_say_the_same_of_it(
    site: Site, path: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thing to do, or a move, picks by segment or by sales: that narrows such a filter, and never replaces it."""
    monkeypatch.setattr(overview, "WORTH", 20)
    found = COUNTED.findall(site.get(f"{path}?{query}").text)
    assert found
    check_counted(site, f"{path}?{query}", found)


DRAWN = re.compile(r'<a href="(/customers\?[^"]*)" aria-label="[^"]*: ([\d,]+) customers?">')
"""A column of a distribution."""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHOICES, st.sampled_from(["champions", "hibernating"]), st.randoms())
def test_a_column_of_a_distribution_leads_to_those_whom_it_counts(
    site: Site, filters: Filters, segment: str, random: Random
) -> None:
    """Whatever filters are on: also one that cuts a column in two."""
    found = DRAWN.findall(site.get(filters.url(f"/segments/{segment}", search=None)).text)
    for link, told in random.sample(found, min(8, len(found))):
        listed = rows(site.get(unescape(link).replace("/customers?", "/customers/customers.csv?")).text)
        assert len(listed) == int(told.replace(",", "")) > 0, (filters.url(segment), link)


def test_every_column_of_a_distribution_that_counts_somebody_is_a_link(site: Site) -> None:
    html = site.get("/segments/hibernating?as_of=2011-07").text
    for name in ("spent", "orders", "days"):
        figure = html.partition(f'id="{name}"')[2].partition("</figure>")[0]
        told = [int(row["customers"]) for row in rows(site.get(f"/segments/hibernating/{name}.csv?as_of=2011-07").text)]
        assert [int(number) for _, number in DRAWN.findall(figure)] == [number for number in told if number] != []


@pytest.mark.parametrize("path", ["/", "/segments", "/segments/loyal-customers", "/movements"])
def test_there_are_numbers_that_lead_to_lists(site: Site, path: str) -> None:
    assert COUNTED.findall(site.get(f"{path}?as_of=2011-05").text)


def test_pages_of_a_list_are_the_file_in_pieces(site: Site) -> None:
    query = "?sort=customer_id&order=up&as_of=2011-07"
    listed = [row["customer_id"] for row in rows(site.get(f"/customers/customers.csv{query}").text)]
    pages = [site.get(f"/customers{query}&page={page}").text for page in (1, 2)]
    shown = [number for html in pages for number in re.findall(r'<th scope="row"><a href="/customers/(\d+)', html)]
    assert shown == listed
    assert len(listed) == CUSTOMERS


@pytest.mark.parametrize(
    ("path", "name", "first", "size"),
    [("/customers/17006", "orders", "invoice", 3), ("/invoices/500202", "lines", "line", 2)],
)
def test_what_a_customer_ordered_comes_in_pages_that_are_the_file_in_pieces(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str, name: str, first: str, size: int
) -> None:
    """Also the lines of an invoice, of which there may be a thousand: the sum above them is of all."""
    monkeypatch.setattr(parts, "PAGE_SIZE", size)
    whole = [row[first] for row in rows(site.get(f"{path}/{name}.csv?page=2").text)]
    pages = -(-len(whole) // size)
    assert pages > 1
    html = [site.get(f"{path}?page={page}").text for page in range(1, pages + 1)]
    heads = re.compile(r'<th scope="row"(?: class="n")?>(?:<a href="/invoices/[^"]*">)?(\d+)')
    shown = [heads.findall(text.rpartition(f"/{name}.csv")[0].rpartition("<caption")[2]) for text in html]
    assert [len(found) for found in shown] == [size] * (pages - 1) + [len(whole) - size * (pages - 1)]
    assert [number for found in shown for number in found] == whole
    assert [re.findall(r'rel="next" href="([^"]*)"', text) for text in html] == [
        *([f"{path}?page={page}"] for page in range(2, pages + 1)), []
    ]  # fmt: skip
    sums = [re.findall(r"<strong>(£[^<]*)", text) for text in html]
    assert sums == [sums[0]] * pages
    beyond = site.get(f"{path}?page={pages + 1}").text
    assert f'The list has fewer pages. <a href="{path}">To its first page</a>' in beyond


def test_chosen_columns_are_those_of_the_file(site: Site) -> None:
    text = site.get("/customers/customers.csv?column=country&column=customer_id").text
    assert text.splitlines()[0] == "customer_id,do_not_contact,country"


def test_no_cell_of_a_file_is_a_formula(site: Site) -> None:
    text = site.get("/customers/17000/products.csv").text
    assert "=HYPERLINK" in text
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "@", "+")) for cell in row)


@pytest.mark.parametrize("path", PATHS)
def test_every_figure_is_a_picture_that_says_what_its_table_does(site: Site, path: str) -> None:
    """Also those that are a table on the page; and a picture is what it says: XML that any reader takes."""
    html = site.get(path).text
    figures = re.findall(r'<figure class="figure[^"]*" id="(\w+)"', html)
    pictures = [unescape(found) for found in re.findall(r'data-png="([^"]*)"', html)]
    assert path.startswith("/report") or [re.search(r"/(\w+)\.svg", found)[1] for found in pictures] == figures  # type: ignore[index]
    parts = [part.partition("</figure>")[0] for part in html.split("<figure ")[1:]]
    for picture, part in zip(pictures, parts, strict=False):
        texts = {"".join(text.itertext()) for text in ElementTree.fromstring(site.get(picture).text).iter(f"{SVG}text")}
        named = {unescape(name).strip() for name in re.findall(r"</svg>([^<]*)</li>", part)}
        assert len(texts) > 3, picture
        assert named <= texts, picture


def test_a_table_as_a_picture_has_its_values(site: Site) -> None:
    table = rows(site.get("/movements/net.csv").text)
    root = ElementTree.fromstring(site.get("/movements/net.svg").text)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert [text for text in texts if text in SEGMENTS] == [row["segment"] for row in table]
    bars = [bar for bar in root.iter(f"{SVG}rect") if bar.get("height") == "12.000"]
    assert len(bars) == len(table)
    assert {bar.get("fill") for bar in bars if float(bar.get("width", "0%")[:-1])} <= {BLUE, ORANGE}


def test_cohorts_know_nothing_of_what_came_later(site: Site, market: Warehouse) -> None:
    """The curve and the second orders are those of the lines until then, and of the windows that were over."""
    curve = {int(row["months_since"]): row for row in rows(site.get("/cohorts/curve.csv?as_of=2011-04").text)}
    bought = market.rows(
        "select distinct cohort_month, customer_id, invoice_month from clean_invoices inner join customer_profile "
        "using (customer_id) where is_sale and invoice_month <= '2011-04-01' and cohort_month > '2011-01-01'"
    )
    for since, row in curve.items():
        old = {r["customer_id"] for r in bought if r["cohort_month"].month + since <= 4}
        again = {r["customer_id"] for r in bought if r["invoice_month"].month - r["cohort_month"].month == since}
        assert (int(row["customers"]), int(row["active"])) == (len(old), len(again))
    assert curve.keys() == {1, 2}
    second = rows(site.get("/cohorts/second.csv?as_of=2011-04").text)
    assert [(row["cohort"].split(" *")[0], row["within_60"] != "", row["within_90"] != "") for row in second] == [
        ("Jan 2011", True, False), ("Feb 2011", True, False), ("Mar 2011", False, False),
    ]  # fmt: skip


def test_cohorts_of_few_are_dots_with_one_legend_and_words_in_files(site: Site) -> None:
    """For who cannot see a dot, it is words, too."""
    html = site.get("/cohorts").text
    for name in ("retention", "second"):
        figure = html.partition(f'id="{name}"')[2].partition("</figure>")[0]
        dots = figure.count('<span class="few" aria-hidden="true">·</span><span class="unseen">too few to say</span>')
        cells = [cell for row in rows(site.get(f"/cohorts/{name}.csv").text) for cell in row.values()]
        assert dots == cells.count("too few to say") > 0
        assert figure.count("· Fewer than 30 customers: too few to say.") == 1
        assert site.get(f"/cohorts/{name}.svg").text.count(">·</text>") == dots


def test_the_chosen_cohorts_are_drawn_beside_all(site: Site) -> None:
    both, alone = (rows(site.get(f"/cohorts/curve.csv{query}").text) for query in ("?first_bought=2011-Q2", ""))
    assert [{name: row[name] for name in alone[0]} for row in both] == alone
    assert both[0]["chosen_customers"]
    of_triangle = rows(site.get("/cohorts/retention_customers.csv?first_bought=2011-Q2").text)
    assert {row["cohort"] for row in of_triangle} == {"2011-04-01", "2011-05-01"}


@pytest.mark.parametrize("end", ["2011-05", "2011-06"])
def test_revenue_at_stake_is_that_of_the_migrations(site: Site, market: Warehouse, end: str) -> None:
    """What was bought since counts once what its dump holds twice, as in May."""
    known = market.rows(
        "select segment_from as segment, sum(monetary_before) as went, sum(sales_between_once) as since "
        f"from segment_migrations where step = 1 and snapshot_to = date '{end}-01' + interval '1 month' "
        "and segment_from <> segment_to group by segment_from"
    )
    shown = {row["segment"]: row for row in rows(site.get(f"/movements/stake.csv?as_of={end}").text)}
    for row in known:
        if row["segment"] in shown:
            found = shown[row["segment"]]
            assert (Decimal(found["went_with"]), Decimal(found["bought_since"])) == (row["went"], row["since"])
    assert sum(Decimal(row["went_with"]) for row in shown.values()) > 0
    assert "count twice in that past, and once in" in site.get(f"/movements?as_of={end}").text


def test_a_search_on_a_segment_is_of_its_list(site: Site) -> None:
    (first, *others) = rows(site.get("/segments/loyal-customers/customers.csv").text)
    found = f"/segments/loyal-customers?customer={first['customer_id']}"
    assert others
    assert re.findall(r'<th scope="row"><a href="/customers/(\d+)', site.get(found).text) == [first["customer_id"]]
    trend = [site.get(f"/segments/loyal-customers/trend.csv{query}").text for query in ("", found[found.index("?") :])]
    assert trend[0] == trend[1]


def test_areas_are_customers_or_sales(site: Site) -> None:
    sales = rows(site.get("/segments/areas.csv?area=sales").text)
    known = {row["segment"]: row["sales_before_returns"] for row in rows(site.get("/segments/segments.csv").text)}
    assert {row["segment"]: row["sales_before_returns"] for row in sales} == {
        row["segment"]: known[row["segment"]] for row in sales
    }
    assert 'aria-current="true">by sales' in site.get("/segments?area=sales").text


def test_every_setting_of_the_analysis_has_its_meaning(own_site: Site) -> None:
    names = [*Settings.model_fields]
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.execute(
            sa.text("update publications set settings = :all where table_name = 'segments'"),
            {"all": json.dumps(dict.fromkeys(names, "x"))},
        )
    writer.engine.dispose()
    told = dict(re.findall(r"<dt>(\w+): [^<]*</dt><dd>([^<]*)</dd>", own_site.get("/data").text))
    assert {*names} <= told.keys()
    assert all(told[name] for name in names)


def test_each_table_has_its_columns(site: Site) -> None:
    links = re.findall(r'<th scope="row"><a href="(/data/\w+)"', site.get("/data").text)
    assert "/data/rfm_history" in links
    for link in links:
        shown = [(row["column"], row["meaning"]) for row in rows(site.get(f"{link}/columns.csv").text)]
        known = declaration.columns(link.removeprefix("/data/"))
        assert shown == [(column.name, csv_cell(column.description)) for column in known] != [], link
    assert site.get("/data/nothing").status == 404


def test_a_picture_is_svg_that_stands_alone(site: Site) -> None:
    answer = site.get("/overview/sales.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.startswith("<svg xmlns=")
    assert 'fill="none" pointer-events="all"' in answer.text
    assert "transparent" not in answer.text  # which is no colour of SVG 1.1: converters paint it black


def test_the_month_that_is_not_over_is_marked_in_every_table_of_months(site: Site) -> None:
    """And so in its files, which go further than the page."""
    july = "?as_of=2011-07"
    for file, query in (
        ("/overview/sales", july),
        ("/segments/hibernating/trend", july),
        ("/customers/17003/timeline", ""),
    ):
        *whole, last = rows(site.get(f"{file}.csv{query}").text)
        assert last["month"] == "2011-07-01"
        assert [row["not_over"] for row in [*whole, last]] == [*("" for _ in whole), "to 5 Jul"] != ["to 5 Jul"]


def test_no_line_is_drawn_into_a_month_that_is_not_over(site: Site) -> None:
    """Its point stands alone, as a ring."""
    small = Spark("A", [1, 2, 3], "3", "/")
    drawn = [sparks("small", [replace(small, is_partial=is_partial)]).shapes for is_partial in (False, True)]
    assert [sum(isinstance(shape, Line) for shape in shapes) for shapes in drawn] == [2, 1]
    assert len({shape.y for shape in drawn[0] if isinstance(shape, Text)}) == 2, "a name is not beside what may be long"
    figures = [site.get(f"/segments/growth.svg?as_of={month}").text for month in ("2011-06", "2011-07")]
    over, not_over = (figure.count('fill="white"') for figure in figures)
    assert over < not_over


@pytest.mark.parametrize("path", PATHS)
def test_a_day_has_no_end_and_each_way_within_a_page_leads_somewhere(site: Site, path: str) -> None:
    html = site.get(f"{path}?as_of=2011-07").text
    assert "end of 5 Jul" not in html and "nd of Jul 2011" not in html
    assert {*re.findall(r'href="#([^"]+)"', html)} <= {*re.findall(r' id="([^"]+)"', html)}


def test_the_definition_of_a_segment_leads_to_the_map_of_scores(site: Site) -> None:
    definition = site.get("/data").text.partition("<dt>Segment</dt>")[2].partition("</dd>")[0]
    assert '<a href="#map">' in definition


def test_the_month_that_is_not_over_is_told_and_not_compared(site: Site) -> None:
    html = site.get("/?as_of=2011-07").text
    assert "Jul 2011 is not over: nothing compares with it yet" in html
    assert re.search(r"<text[^>]*>Jul: to 5 Jul</text>", html)
    assert "<dt>Net sales, Jul 2011, to 5 Jul</dt>" in html
    assert re.search(r"<title>Jul 2011, to 5 Jul: £[\d,]+</title>", html)
    assert "Jul: to 5 Jul" not in site.get("/?as_of=2011-05").text


def test_doubled_invoices_are_told(site: Site, market: Warehouse) -> None:
    """On the invoice, of the customer, and below every sum that holds one."""
    assert "May 2011 holds 1 invoice twice" in site.get("/").text
    invoice = site.get("/invoices/599992").text
    assert "holds this invoice twice in full" in invoice
    (known,) = market.rows(
        "select sum(line_total) as twice, sum(line_total) filter (where not is_second_copy) as once "
        "from clean_invoices where invoice_no = '599992'"
    )
    assert f"<strong>£{known['twice']:.2f}</strong>, counted once £{known['once']:.2f}" in invoice
    (once,) = market.rows(
        "select sum(line_total) filter (where is_sale) as sales, sum(line_total) as net from clean_invoices "
        "where customer_id = 17001 and not is_second_copy"
    )
    said = f"Counted once, sales come to £{once['sales']:.2f} before returns, and £{once['net']:.2f} net of them."
    assert said in site.get("/customers/17001").text
    assert "twice" not in site.get("/customers/17004").text
    (all_once,) = market.rows("select sum(monetary_once) as sales from rfm_history where snapshot_date = '2011-08-01'")
    for path in ("/", "/customers", "/segments"):
        assert (
            f"once, sales come to £{all_once['sales']:,.2f} before returns." in site.get(f"{path}?as_of=2011-07").text
        )
        assert "once, sales come to" not in site.get(f"{path}?as_of=2011-04").text
    (segment,) = market.rows(
        "select playbook.* from rfm_history join segment_playbook as playbook using (segment) "
        "where snapshot_date = '2011-08-01' and customer_id = 17001"
    )
    assert "once, sales come to" in site.get(f"/segments/{Segment(**segment).slug}?as_of=2011-07").text


def test_a_line_of_nobody_is_not_called_an_adjustment(site: Site) -> None:
    """An invoice of a guest is a sale like another, though in no customer's figures."""
    html = site.get("/invoices/599991").text
    assert "no customer is named" in html
    assert "no sale" not in html


def test_shares_of_few_customers_are_not_shown(site: Site) -> None:
    assert "too few to say" in site.get("/segments").text


def synthetic(site: Site) -> Site:
    """The same, of lines that are said to be invented."""
    writer = Warehouse(site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.execute(sa.text("update dumps set dump = :demo"), {"demo": DEMO_DUMP})
    writer.engine.dispose()
    return site


def test_invented_lines_are_marked_on_every_page_and_file(own_site: Site) -> None:
    """Pages of errors are pages; and a picture says so in itself."""
    synthetic(own_site)
    for path in [*PATHS, "/nowhere", "/segments/kings", "/customers/0"]:
        html = own_site.get(path).text
        assert "SYNTHETIC DEMO DATA" in html, path
        for link in map(unescape, re.findall(r'href="([^"]+\.(?:csv|xlsx|svg)(?:\?[^"]*)?)"', html)):
            if "/static/" not in link:
                answer = own_site.get(link)
                assert 'filename="SYNTHETIC-' in answer.headers["content-disposition"], link
                assert ".svg" not in link or "SYNTHETIC DEMO DATA" in answer.text, link


def test_a_picture_says_what_it_is_of_without_its_page(site: Site) -> None:
    """Its question, its key, its note, when and of whom; its name has the page, the figure and the moment."""
    answer = site.get("/movements/net.svg?as_of=2011-05&country=Germany&spent=20")
    text = " ".join("".join(found.itertext()) for found in ElementTree.fromstring(answer.text).iter(f"{SVG}text"))
    assert "Which segments grow, and which shrink?" in text
    assert "Joined: from other segments, and first orders." in text
    assert "end of May 2011 · only: Germany, £20 or more before returns · data to 5 Jul 2011" in text
    assert answer.headers["content-disposition"] == 'attachment; filename="movements-net-2011-05.svg"'
    picture = ElementTree.fromstring(site.get("/segments/areas.svg").text)
    texts = ["".join(found.itertext()) for found in picture.iter(f"{SVG}text")]
    assert {f"{place} {name}" for place, name in enumerate(SEGMENTS, 1)} >= {t for t in texts if re.match(r"\d+ \w", t)}
    assert any(re.match(r"\d+ \w", text) for text in texts)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/overview/sales.csv?as_of=2011-07", "overview-sales-2011-07-05.csv"),
     ("/customers/customers.csv", "customers-2011-06.csv"),
     ("/segments/champions/trend.xlsx?as_of=2011-04", "segments-champions-trend-2011-04.xlsx"),
     ("/customers/17003/orders.csv", "customers-17003-orders-2011-07-05.csv"),
     ("/campaigns/audiences.csv", "campaigns-audiences-2011-07-05.csv")],
)  # fmt: skip
def test_the_name_of_a_file_has_its_page_and_moment(site: Site, path: str, name: str) -> None:
    assert site.get(path).headers["content-disposition"] == f'attachment; filename="{name}"'


def test_a_page_whose_tables_are_missing_says_what_to_run(own_site: Site) -> None:
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.execute(sa.text("delete from publications where table_name = 'cohort_retention'"))
    answer = own_site.get("/cohorts")
    assert answer.status == 503
    assert "cohort_retention" in answer.text
    assert "lgs run" in answer.text
    assert own_site.get("/segments").status == 200
    with writer.transaction() as connection:
        connection.execute(sa.text("delete from publications"))
    writer.engine.dispose()
    assert "Nothing is loaded yet" in own_site.get("/").text


def test_a_failed_check_is_told_on_every_page(own_site: Site) -> None:
    tag = own_site.get("/segments").headers["etag"]
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        row = "('segments', '{}', '{}', {}, {}, now() + interval '1 hour')"
        found = [("counted_once", "error", 3, 0), ("odd", "warning", 2, 0), ("known", "warning", 2, 2)]
        rows = [row.format(*values) for values in found]
        connection.execute(sa.text(f"insert into check_results values {', '.join(rows)}"))
    writer.engine.dispose()
    html = own_site.get("/segments", If_None_Match=tag).text
    assert "A check failed: segments.counted_once" in html
    assert "1 warning<" in html
    assert "cannot be trusted" in own_site.get("/data").text


def test_a_dropped_table_is_no_crash(own_site: Site) -> None:
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    with writer.transaction() as connection:
        connection.execute(sa.text("drop table product_movers"))
    writer.engine.dispose()
    answer = own_site.get("/products-countries")
    assert answer.status == 503
    assert "Try again" in answer.text
    answer = own_site.get("/data/product_movers")
    assert (answer.status, "Not built yet: product_movers." in answer.text) == (503, True)


def test_products_and_countries_show_what_they_earned(own_site: Site) -> None:
    """Once unit costs are known, of the sales that have one; before, the page says what to give."""
    for keeping in serve(own_site.tables, kept_bytes=KEPT_BYTES):
        check_what_is_earned(keeping)


def check_what_is_earned(own_site: Site) -> None:
    assert "No unit costs: lgs costs import FILE" in own_site.get("/products-countries").text
    writer = Warehouse(own_site.tables.engine.url.render_as_string(hide_password=False))
    keep_costs(writer, [Cost("22001", date(2011, 1, 1), Decimal("0.50"))])
    build_tables(writer, "margins")
    for dimension, file, name in (("product", "products", "code"), ("country", "countries", "country")):
        shown = rows(own_site.get(f"/products-countries/{file}.csv?as_of=2011-06").text)
        known = writer.rows(
            "select member, sum(margin) as margin from margins where dimension = :dimension and known_sales > 0 "
            "and invoice_month <= '2011-06-01' group by member",
            dimension=dimension,
        )
        assert (
            {row[name]: Decimal(row["margin"]) for row in shown if row["margin"]}
            == {row["member"]: row["margin"] for row in known}
            != {}
        )
    html = own_site.get("/products-countries").text
    assert "No unit costs" not in html and "Of sales with a known cost" in html
    writer.engine.dispose()


@pytest.mark.parametrize("path", ["/outlook", "/outlook?country=Germany"])
def test_predictions_are_shown_or_what_is_missing(site: Site, path: str) -> None:
    html = site.get(path).text
    assert "lgs run" in html or "Past error" in html


def test_colours_are_those_of_the_charts() -> None:
    from matplotlib.colors import to_hex

    assert list(RAMP) == style.ramp(10)
    assert to_hex(style.lighter(style.BLUE)) == PALE


def test_a_printed_segment_has_its_numbers_and_customers(site: Site) -> None:
    html = site.get("/report/" + quote("cant-lose")).text
    assert "What to do:" in html
    assert "settings:" in html
