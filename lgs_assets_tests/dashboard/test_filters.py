"""What a URL asks for: written and read again it is the same, and junk is told, never raised."""

from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgs_assets.dashboard.filters import BANDS, COLUMNS, LONGEST, MOST_STEPS, Filters

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).map(str.strip).filter(bool)
TEXTS = st.sets(TEXT, max_size=4).map(lambda found: tuple(sorted(found)))
NUMBER = st.none() | st.integers(0, 10**9)
FILTERS = st.builds(
    Filters,
    as_of=st.none() | st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(lambda day: day.replace(day=1)),
    countries=TEXTS,
    segments=TEXTS,
    cohorts=st.sets(st.sampled_from(["2009-Q4", "2010-Q1", "2011-Q3"])).map(lambda found: tuple(sorted(found))),
    came_from=TEXTS,
    step=st.integers(1, MOST_STEPS),
    r_score=st.none() | st.integers(1, 5),
    f_score=st.none() | st.integers(1, 5),
    recency_to=NUMBER,
    recency_from=NUMBER,
    orders_from=NUMBER,
    orders_to=NUMBER,
    spent_from=NUMBER,
    spent_below=NUMBER,
    risks=st.sets(st.sampled_from(BANDS)).map(lambda found: tuple(sorted(found))),
    tenth=st.none() | st.integers(1, 10),
    search=NUMBER,
    columns=st.sets(st.sampled_from(COLUMNS)).map(lambda found: tuple(sorted(found))),
    sort=st.sampled_from(COLUMNS),
    ascending=st.booleans(),
    page=st.integers(1, 10**9),
)


@given(FILTERS)
def test_an_address_means_what_it_was_written_from(filters: Filters) -> None:
    url = filters.url("/customers")
    assert Filters.parse(parse_qsl(url.partition("?")[2])) == (filters, [])


@given(FILTERS, st.randoms())
def test_equal_views_have_equal_addresses(filters: Filters, random: object) -> None:
    pairs = parse_qsl(filters.query())
    random.shuffle(pairs)  # type: ignore[attr-defined]
    assert Filters.parse(pairs)[0].query() == filters.query()


@given(
    st.lists(st.tuples(st.sampled_from(["as_of", "country", "page", "step", "sort", "r", "x"]) | st.text(), st.text()))
)
def test_junk_is_told_and_never_raises(pairs: list[tuple[str, str]]) -> None:
    filters, notices = Filters.parse(pairs)
    assert Filters.parse(parse_qsl(filters.query())) == (filters, [])
    assert all(notice.isprintable() for notice in notices)


@pytest.mark.parametrize(
    "query",
    ["as_of=2011-13", "as_of=november", "page=0", "page=-1", "page=1e9", "r=6", "tenth=11", "sort=id;drop",
     "step=0", "within=٣", "customer=99999999999", "country=a%00b", f"country={'x' * (LONGEST + 1)}", "nonsense=1",
     "order=sideways"],
)  # fmt: skip
def test_a_value_that_cannot_be_used_has_a_notice(query: str) -> None:
    filters, notices = Filters.parse(parse_qsl(query))
    assert filters == Filters()
    assert len(notices) == 1


def test_filters_that_narrow_others_pick_who_is_picked_by_both() -> None:
    filters = Filters(segments=("At Risk", "Champions"), spent_from=5000, recency_to=30, countries=("EIRE",))
    narrowed = filters.narrowed(
        segments=("At Risk", "Hibernating"), came_from=("Champions",), spent_from=1000, recency_to=90, orders_to=None
    )
    assert narrowed == Filters(
        segments=("At Risk",), came_from=("Champions",), spent_from=5000, recency_to=30, countries=("EIRE",)
    )
    assert Filters(spent_from=10, recency_to=90).narrowed(spent_from=1000, recency_to=30, r_score=5) == Filters(
        spent_from=1000, recency_to=30, r_score=5
    )


@pytest.mark.parametrize(
    ("own", "others"),
    [({"segments": ("Champions",)}, {"segments": ("At Risk", "Hibernating")}),
     ({"risks": ("low",)}, {"risks": ("high",)}),
     ({"r_score": 5}, {"r_score": 4}), ({"f_score": 1}, {"f_score": 2}), ({"tenth": 1}, {"tenth": 2}),
     ({"search": 17003}, {"search": 17004})],
)  # fmt: skip
def test_filters_that_exclude_each_other_pick_nobody(own: dict[str, Any], others: dict[str, Any]) -> None:
    """Which no address can say: without a value it would mean everybody."""
    assert Filters(**own).narrowed(**others, spent_from=5) is None
    assert Filters(**own).narrowed(**own) == Filters(**own)


def test_links_keep_every_filter_but_those_they_change() -> None:
    filters = Filters(countries=("Germany",), cohorts=("2010-Q1",), page=3, sort="frequency")
    assert filters.customers_only().url("/customers", r_score=5) == "/customers?" + urlencode(
        {"country": "Germany", "first_bought": "2010-Q1", "r": "5"}
    )
