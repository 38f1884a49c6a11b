"""The filters of a list as an audience: the same customers, in a file that is one, by a command that a shell takes."""

import json
import re
import shlex
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings

from lgs_assets.action.audiences import Audience
from lgs_assets.action.rules import judge
from lgs_assets.dashboard.draft import draft
from lgs_assets.dashboard.filters import Filters
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.dashboard.conftest import COUNTRIES, TURNED, Site
from lgs_assets_tests.dashboard.test_filters import FILTERS
from lgs_assets_tests.dashboard.test_pages import CHOICES, rows

NOW = date(2011, 7, 1)
"""The month in which the data ends."""


def shown(site: Site, query: str) -> dict[str, str]:
    """The two texts to copy of a list, by their names."""
    html = site.get(f"/customers?{query}").text
    return {name: unescape(text) for name, text in re.findall(r'<pre id="audience-(\w+)">(.*?)</pre>', html, re.S)}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHOICES.map(lambda filters: replace(filters, as_of=NOW, came_from=())))
def test_an_audience_is_of_the_customers_of_the_list(site: Site, market: Warehouse, filters: Filters) -> None:
    """Of the end of the data, when audiences look."""
    made = draft(filters)
    if made is None:
        assert not filters.names_customers
        return
    if made.refusal:
        assert TURNED in filters.countries, "a rule holds nothing that cannot be seen"
        return
    (rule,) = [line.partition(" = ")[2] for line in made.text.splitlines() if line.startswith("where")]
    listed = rows(site.get(filters.url("/customers/customers.csv")).text)
    found = market.rows(f"select customer_id from audience_facts where {judge(json.loads(rule)).sql}")
    assert {int(row["customer_id"]) for row in listed} == {row["customer_id"] for row in found}


@given(FILTERS)
def test_whatever_the_filters_are_the_file_is_an_audience_or_there_is_a_reason(
    tmp_path_factory: pytest.TempPathFactory, filters: Filters
) -> None:
    made = draft(filters)
    if made is None or not made.text:
        assert made is None or made.refusal
        return
    file: Path = tmp_path_factory.getbasetemp() / f"{made.name}.toml"
    file.write_text(made.text)
    audience = Audience.read(file)
    assert shlex.split(made.preview) == ["lgs", "audience", "preview", audience.where]


def test_the_page_has_the_file_and_the_command(site: Site, tmp_path: Path) -> None:
    texts = shown(site, "country=Germany&segment=Can%27t+Lose&segment=Hibernating&spent=5&first_bought=2011-Q1")
    file = tmp_path / "germany.toml"
    file.write_text(texts["file"])
    assert Audience.read(file).where == (
        "country = 'Germany' and segment in ('Can''t Lose', 'Hibernating') and "
        "(first_sale_at >= '2011-01-01' and first_sale_at < '2011-04-01') and monetary >= 5"
    )
    assert texts["preview"] == f'lgs audience preview "{Audience.read(file).where}"'


@pytest.mark.parametrize("country", [country for country in COUNTRIES if country != TURNED])
def test_hostile_text_stays_text(site: Site, country: str) -> None:
    texts = shown(site, urlencode({"country": country}))
    argument = shlex.split(texts["preview"])[-1]
    assert [comparison.text for comparison in judge(argument).comparisons] == [country]


def test_what_no_audience_can_ask_is_named(site: Site) -> None:
    named = "<strong>Not in the rule</strong>, for no audience can ask it: From Champions."
    html = site.get("/customers?as_of=2011-05&country=Germany&country=EIRE&from=Champions").text
    assert f"{named} Without it the audience may be larger" in html
    alone = site.get("/customers?as_of=2011-05&from=Champions").text
    assert named in alone and "No column of audience_facts answers any of these filters." in alone
    made = draft(Filters(countries=("EIRE",), tenth=2, step=12))
    assert made and made.unasked == ("Tenth 2 by expected sales",)  # compared with whenever, the list is the same
    made = draft(Filters(countries=("EIRE",), came_from=("Champions",), step=12))
    assert made and "Compared with a year before" in made.unasked


def test_a_list_of_another_month_says_that_an_audience_is_of_the_end_of_the_data(site: Site) -> None:
    said = "This list is as of the end of Mar 2011; an audience is always as of the end of the data, 5 Jul 2011"
    assert said in site.get("/customers?country=Germany&as_of=2011-03").text
    assert "an audience is always" not in site.get(f"/customers?country=Germany&as_of={NOW:%Y-%m}").text


def test_everybody_is_no_audience(site: Site) -> None:
    assert "Save as audience" not in site.get("/customers").text


def test_a_list_says_of_which_moment_it_is_where_it_is_taken_away(site: Site) -> None:
    """As its file's name does, and the page on method says what is of another moment."""
    for path in ("/customers", "/segments/hibernating"):
        assert re.search("Take this list away, all [^:<]*as of the end of Jun 2011:", site.get(path).text)
    assert "are of the end of the data.</dd>" in site.get("/data").text
