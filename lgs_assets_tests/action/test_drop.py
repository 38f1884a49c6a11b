"""Lists as files: what changes and the whole list, in a folder or a bucket, and nothing of them seen half."""

import csv
import io
import stat
import uuid
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from lgs_assets.action.contacts import forget_contact, import_contacts, object_to_marketing
from lgs_assets.action.destinations.configured import destination_named
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.lists.applying import Outcome
from lgs_assets.action.lists.leaving import plan_removals
from lgs_assets.action.lists.planning import make_plan
from lgs_assets.action.lists.plans import plans
from lgs_assets.configuration import Configuration
from lgs_assets.errors import UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.action.drill import apply_killed_at
from lgs_assets_tests.action.lists import SOME, apply, plan, set_members, sync
from lgs_assets_tests.action.people import CANARY, KEY, address, contacts_file, line


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UPath:
    """Where files are dropped: a folder, or a folder of a bucket."""
    if request.param == "folder":
        return UPath(tmp_path / "lists")
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", request.getfixturevalue("azurite"))
    container = UPath(f"abfs://test-{uuid.uuid4().hex[:12]}", use_listings_cache=False)
    container.mkdir(parents=True)
    return UPath(f"{str(container).rstrip('/')}/to/lists", use_listings_cache=False)


def rows(place: UPath, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((place / name).read_text())))


def members(place: UPath, number: int) -> dict[int, str]:
    """The whole list after a plan: each customer's address."""
    return {int(row["customer_id"]): row["email"] for row in rows(place, f"some-plan-{number}-list.csv")}


def test_a_drop_has_the_changes_and_the_whole_list(people: Warehouse, place: UPath) -> None:
    """Each with a marker that it is complete, no half of it ever in sight, and nothing that a spreadsheet would run."""
    drop = Drop(str(place))
    set_members(people, {2, 1})
    with people.transaction() as connection:
        connection.execute(sa.text("""update audience_members set fields = '{"note": "=1+1", "last": null}'"""))
    made = plan(people, drop)
    assert made
    assert apply(people, made.plan, drop) == Outcome(2, {}, {})
    name = f"some-plan-{made.plan}"
    assert {path.name for path in place.iterdir()} == {
        f"{name}.csv", f"{name}.csv.done", f"{name}-list.csv", f"{name}-list.csv.done"
    }  # fmt: skip
    assert (place / f"{name}.csv").read_text() == (
        f"operation,customer_id,email,last,note\nadd,1,{address(1)},,'=1+1\nadd,2,{address(2)},,'=1+1\n"
    )
    assert (place / f"{name}-list.csv").read_text() == (
        f"customer_id,email,last,note\n1,{address(1)},,'=1+1\n2,{address(2)},,'=1+1\n"
    )


def test_files_in_a_folder_are_for_this_account_alone(people: Warehouse, tmp_path: Path) -> None:
    """They hold addresses."""
    set_members(people, {1})
    sync(people, Drop(str(tmp_path / "lists")))
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "lists").glob("*.csv")} == {0o600}


def test_the_whole_list_is_that_after_the_plan(people: Warehouse, place: UPath, tmp_path: Path) -> None:
    """Who stayed as they were is on it, with what was told of them before; who has objected since is not."""
    drop = Drop(str(place))
    set_members(people, range(1, 21))
    sync(people, drop)
    set_members(people, range(3, 23))
    made = plan(people, drop)
    assert made and (made.adds, made.updates, made.removes) == (2, 0, 2)
    object_to_marketing(people, 5)  # since the plan: no plan has removed them yet
    moved = contacts_file(tmp_path, [line(6, email="moved@example.test")])
    import_contacts(people, moved, key=KEY, reject_limit=0)
    apply(people, made.plan, drop)
    expected = {customer: address(customer) for customer in range(3, 23) if customer != 5}
    assert members(place, made.plan) == expected | {6: "moved@example.test"}
    listed = rows(place, f"some-plan-{made.plan}-list.csv")
    assert [int(row["customer_id"]) for row in listed] == sorted(members(place, made.plan))
    assert {row["spent"] for row in listed} == {"1"}


def test_a_forgotten_customer_is_on_no_later_list(people: Warehouse, place: UPath) -> None:
    """By the plan of the removal alone."""
    drop = Drop(str(place))
    set_members(people, range(1, 4))
    sync(people, drop)
    (number,) = forget_contact(people, 2).removals
    apply(people, number, drop)
    assert members(place, number) == {1: address(1), 3: address(3)}
    assert (place / f"some-plan-{number}.csv").read_text() == "operation,customer_id,email\nremove,2,\n"


def test_an_emptied_list_is_a_file_with_a_header(people: Warehouse, place: UPath) -> None:
    """Not a missing one, by which a reader would go on with the old list."""
    drop = Drop(str(place))
    set_members(people, {1})
    sync(people, drop)
    set_members(people, ())
    sync(people, drop)
    assert (place / f"some-plan-{plans(people)[0].plan}-list.csv").read_text() == "customer_id,email\n"


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("step", ["marked", "answered", "writing"])
def test_a_second_apply_writes_the_same_bytes(people: Warehouse, tmp_path: Path, step: str) -> None:
    """After a kill before the files, after them, and while their receipt is written; beside them nothing is left."""
    drop, place = Drop(str(tmp_path / "lists")), tmp_path / "lists"
    set_members(people, range(1, 21))
    sync(people, drop)
    set_members(people, range(4, 25), spent=2)
    made = plan(people, drop)
    assert made and apply_killed_at(step, 1, people.url, made.plan, drop)
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert (f"some-plan-{made.plan}.csv.done" in before) == (step != "marked")
    apply(people, made.plan, drop)
    after = {path.name: path.read_bytes() for path in place.iterdir()}
    assert {name: after.get(name) for name in before} == before
    assert len(after) == 8 and members(UPath(place), made.plan).keys() == set(range(4, 25))


def test_a_bucket_that_is_not_there_is_told(people: Warehouse, azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped name creates none; the plan is applied once the name is right."""
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite)
    set_members(people, {1})
    drop = Drop("abfs://drop-not-yet-made/lists")
    made = plan(people, drop)
    assert made
    with pytest.raises(UnavailableError, match=r"abfs://drop-not-yet-made/lists: out of reach: .* Check LGS_DROP"):
        apply(people, made.plan, drop)
    UPath("abfs://drop-not-yet-made").mkdir(parents=True)
    assert apply(people, made.plan, drop).accepted == 1


def test_only_those_who_consented_are_matched(people: Warehouse, tmp_path: Path) -> None:
    """A list of hashes is for an advertising network: other bases allow mail, not that, at any step."""
    drop, hashed = Drop(str(tmp_path / "drop")), Drop(str(tmp_path / "hashed"), hashes_emails=True)
    imported = [line(1, basis="soft_opt_in"), line(2, basis="corporate_legitimate_interest", kind="corporate"), line(3)]
    import_contacts(people, contacts_file(tmp_path, imported), key=KEY, reject_limit=0)
    set_members(people, {1, 2, 3, 4})
    clear = plan(people, drop)
    assert clear and clear.adds == 4
    made = plan(people, hashed)
    assert made and made.adds == 2 and made.left_out == {"no consent to be matched": 2}
    import_contacts(people, contacts_file(tmp_path, [line(3, basis="soft_opt_in")]), key=KEY, reject_limit=0)
    assert apply(people, made.plan, hashed).withheld == {3: "no consent to be matched"}
    listed = rows(UPath(tmp_path / "hashed"), f"some-plan-{made.plan}-list.csv")
    assert [row["customer_id"] for row in listed] == ["4"]


def test_who_leaves_takes_nobody_along_without_consent(people: Warehouse, tmp_path: Path) -> None:
    """The whole list beside a removal is in the form of today, though the list was begun in clear and goes on."""
    place = str(tmp_path / "drop")
    hashed = Drop(place, hashes_emails=True)
    import_contacts(people, contacts_file(tmp_path, [line(1, basis="soft_opt_in")]), key=KEY, reject_limit=0)
    set_members(people, {1, 2, 3})
    sync(people, Drop(place))
    make_plan(people, SOME, hashed, key=KEY, place_is="same")
    object_to_marketing(people, 3)
    (leaving,) = plan_removals(people)
    assert apply(people, leaving, hashed).accepted == 1
    listed = rows(UPath(place), f"some-plan-{leaving}-list.csv")
    assert [(row["customer_id"], "email" in row) for row in listed] == [("2", False)]


def test_who_withdraws_the_consent_to_be_matched_leaves_whatever_a_guard_says(
    people: Warehouse, tmp_path: Path
) -> None:
    """The list is for an advertising network: no plan of it has to be made or agreed to. Others keep them."""
    drop, hashed = Drop(str(tmp_path / "drop")), Drop(str(tmp_path / "hashed"), hashes_emails=True)
    set_members(people, range(1, 41))
    sync(people, hashed)
    changed = [line(customer, basis="soft_opt_in") for customer in range(1, 21)]
    (removal,) = import_contacts(people, contacts_file(tmp_path, changed), key=KEY, reject_limit=0).removals
    set_members(people, [])
    made = plan(people, hashed)
    assert made and made.refusal and made.removes == 20
    assert apply(people, removal, hashed).accepted == 20
    set_members(people, range(1, 41))
    assert plan(people, hashed) is None
    with people.transaction() as connection:
        connection.execute(sa.text("delete from destination_members"))
    sync(people, drop)
    assert plan_removals(people) == []


@pytest.mark.parametrize("setting", ["plain", "sha256"])
def test_addresses_are_hashed_where_that_is_set(
    people: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """As Google's Customer Match compares them: of lower case, without spaces around them; in both files."""
    monkeypatch.setenv("LGS_DROP", str(tmp_path / "lists"))
    monkeypatch.setenv("LGS_DROP_EMAILS", setting)
    import_contacts(people, contacts_file(tmp_path, [line(1, email=" Some@Example.TEST ")]), key=KEY, reject_limit=0)
    set_members(people, {1, 2})
    sync(people, destination_named(Configuration.read(), "drop"))
    hashed = [sha256(email).hexdigest() for email in (b"some@example.test", address(2).encode())]
    name = f"some-plan-{plans(people)[0].plan}"
    for file in (f"{name}.csv", f"{name}-list.csv"):
        found = rows(UPath(tmp_path / "lists"), file)
        assert [row.get("email_sha256") for row in found] == (hashed if setting == "sha256" else [None, None])
        assert (CANARY in (tmp_path / "lists" / file).read_text()) == (setting == "plain")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sets(st.integers(1, 40), max_size=40), min_size=2, max_size=4))
def test_the_changes_lead_from_each_list_to_the_next(
    people: Warehouse, tmp_path_factory: pytest.TempPathFactory, steps: list[set[int]]
) -> None:
    """So a reader may take either: the files of changes, one after another, or the last whole list."""
    with people.transaction() as connection:
        connection.execute(sa.text("truncate destination_members, activation_plans, activation_changes"))
    place = UPath(tmp_path_factory.mktemp("lists"))
    listed: dict[int, str] = {}
    for wanted in steps:
        set_members(people, wanted)
        before = listed.keys()
        made = plan(people, Drop(str(place)), removals=len(before - wanted), adds=len(wanted - before))
        if made is None:
            continue
        apply(people, made.plan, Drop(str(place)))
        for change in rows(place, f"some-plan-{made.plan}.csv"):
            customer = int(change["customer_id"])
            if change["operation"] == "remove":
                del listed[customer]
            else:
                listed[customer] = change["email"]
        assert members(place, made.plan) == listed
        assert listed.keys() == wanted
