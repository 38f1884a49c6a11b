"""Contacts: what is imported, who may never be written to, and that no address turns up anywhere else."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from lgs_assets.action.contact_file import COLUMNS, Contact
from lgs_assets.action.contacts import (
    contact_status,
    forget_contact,
    import_contacts,
    object_to_marketing,
    pseudonym,
    reach,
)
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.destinations.protocol import Change, Listed, Member
from lgs_assets.action.lists.moving import present_places
from lgs_assets.action.private import as_activator, log_warning
from lgs_assets.action.rules import judge
from lgs_assets.command.cli import app
from lgs_assets.configuration import Configuration
from lgs_assets.demo.contacts import demo_contacts
from lgs_assets.errors import LgsError, UsageError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.schema import driver_cursor
from lgs_assets_tests.action.people import CANARY, HEADER, KEY, address, contacts_file, line, tables_outside

EVERYBODY = judge("true")
LEDGERS = {
    "held": "insert into lgs.destination_members values ('drop', 'some', 999, '', 1, now(), null, null)",
    "left behind": "insert into lgs.left_behind values ('drop', 'some', 999, '', now(), 1, now(), null)",
    "sent": "insert into lgs.activation_changes (plan, customer_id, operation, cause, fields, payload, batch, state) "
    "values (1, 999, 'add', '', '{}', '', 1, 'accepted')",
    "excluded": "insert into lgs.marketing_exclusions values (999, 'objected', now())",
}
"""How ledgers can have a customer whom the data has not."""


def lgs(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, arguments)


def imported(warehouse: Warehouse, folder: Path, *lines: str, limit: float = 1, key: str | None = KEY) -> list[str]:
    """Imports the lines. Returns why some of them are no contacts."""
    done = import_contacts(warehouse, contacts_file(folder, lines), key=key, reject_limit=limit)
    return [str(reject) for reject in done.rejects]


WRONG = {
    line("0"): "line 2, customer_id: expected the number of a customer; found 0",
    line("x@y.test", email="a@b.test"): "customer_id: expected the number of a customer; found 8 characters with 1 @",
    line(999): "line 2, customer_id: expected a customer who has bought; found 999",
    line(
        email="canary at example.test"
    ): "line 2, email: expected an address such as name@example.test; found 22 characters with no @",
    line(email=""): "line 2, email: expected an address such as name@example.test; found nothing",
    line(email="canary@localhost"): "found 16 characters with 1 @",
    line(email="canary@@example.test"): "found 20 characters with 2 @",
    line(email="=canary@example.test"): "found 20 characters with 1 @",
    line(email="canary@example.test\x00"): "found 20 characters with 1 @",
    line(email='"canary@example.test'): "line 2: expected 7 values; found quotes that do not match",
    line(basis=""): "lawful_basis: expected consent, soft_opt_in or corporate_legitimate_interest; found nothing",
    line(basis="corporate_legitimate_interest"): "found corporate_legitimate_interest of an individual",
    line(basis="corporate_legitimate_interest", kind=""): "found corporate_legitimate_interest of an individual",
    line(basis_at="2011-02-30"): "line 2, basis_at: expected a date such as 2011-12-01",
    line(basis_at="2999-01-01"): "found 2999-01-01",
    line(source="canary@example.test"): "line 2, source: expected where the contact comes from",
    line(kind="robot"): "line 2, subscriber_kind: expected individual or corporate; found 5 characters with no @",
    line(ok="perhaps"): "line 2, marketing_ok: expected yes or no; found 7 characters with no @",
    f"{line()},more": "line 2: expected 7 values; found 8 values",
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ascii(wrong)[:60])
def test_a_line_that_is_no_contact_is_kept_aside(customers: Warehouse, tmp_path: Path, wrong: str) -> None:
    """With its place, what was expected, and what was found, but never the address; the good lines are imported."""
    (reason,) = imported(customers, tmp_path, wrong, line(2), line(3))
    assert WRONG[wrong] in reason
    assert CANARY not in reason
    status = contact_status(customers)
    assert sum(status.contacts.values()) == 2
    assert [str(reject) for reject in status.rejects] == [reason]


def test_lines_that_contradict_each_other_are_kept_aside(customers: Warehouse, tmp_path: Path) -> None:
    """Neither of two is known to be right; nor is an address that another customer has already."""
    imported(customers, tmp_path, line(9))
    reasons = imported(
        customers,
        tmp_path,
        line(1),
        line(2, email=address(1).upper()),
        line(3),
        line(3),
        line(4, email=address(9)),
        line(5),
    )
    assert [reason.partition("found ")[2] for reason in reasons] == [
        "the address of 2 customers", "the address of 2 customers", "customer 3 in 2 lines", "customer 3 in 2 lines",
        "the address of customer 9",
    ]  # fmt: skip
    assert reach(customers, EVERYBODY) == {"": 2, "no contact": 38}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "contacts.csv: line 1: expected a header with the columns customer_id, email"),
        (f"{line()}\n".encode(), "contacts.csv: line 1: expected a header with the columns"),
        (HEADER.replace("email", "mail").encode(), "email is missing"),
        (f"{HEADER},Email".encode(), "line 1: expected each column once; email is there 2 times"),
        (
            HEADER.encode() + b"\n" + line().encode() + b"\n\xff",
            "contacts.csv: line 3: expected text in UTF-8; found the byte 0xFF",
        ),
        (b"PK\x03\x04" + bytes(200), "contacts.csv: line 1: expected a header"),
    ],
)
def test_a_file_that_holds_no_contacts_is_refused(
    customers: Warehouse, tmp_path: Path, content: bytes, reason: str
) -> None:
    """Its first line may be a person, so it is not quoted."""
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        import_contacts(customers, file, key=KEY, reject_limit=1)
    assert reason in str(refused.value)
    assert CANARY not in str(refused.value)


HOSTILE = {
    "a value without end": line(source="x" * 5_000_000),
    "an address without end": line(email="canary" * 100_000 + "@example.test"),
    "a break within a value": line(source='"check\nout"'),
    "a quote that never ends": line(source='"canary') + "\n" + line(2) + "\n" + line(3),
    "text that runs backwards": line(source="check\u202eout"),
    "an escape for the terminal": line(source="check\x1b[2Jout"),
    "letters that look like others": line(email="canary@ex\u0430mple.test"),
    "a number without end": line("9" * 5_000),
    "a number of another script": line("\u0661"),
    "a formula": line("=cmd|' /C calc'!A0"),
    "SQL": line(source="x'); drop table lgs_private.contacts; --", ok="'; drop table lgs_private.contacts; --"),
    "a hundred thousand values": line() + "," * 100_000,
    "a byte order mark within": line("\ufeff1"),
}


@pytest.mark.parametrize("wrong", HOSTILE)
def test_a_hostile_line_is_kept_aside(customers: Warehouse, tmp_path: Path, wrong: str) -> None:
    """In no time, told in short, with nothing of it that a terminal would obey and no address; the others arrive."""
    begun = time.monotonic()
    reasons = imported(customers, tmp_path, HOSTILE[wrong], line(7))
    assert time.monotonic() - begun < 5
    assert reasons and all(len(reason) < 300 and reason.isprintable() and CANARY not in reason for reason in reasons)
    assert reach(customers, judge("customer_id = 7")) == {"": 1}
    assert CANARY not in tables_outside(customers.url)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "cp037"])
def test_a_file_of_another_encoding_is_refused(customers: Warehouse, tmp_path: Path, encoding: str) -> None:
    """It is not guessed: an address that was misread is another's."""
    file = tmp_path / "contacts.csv"
    file.write_bytes(f"{HEADER}\n{line()}\n".encode(encoding))
    with pytest.raises(UsageError, match=r"contacts.csv: line 1: expected (text in UTF-8|a header)") as refused:
        import_contacts(customers, file, key=KEY, reject_limit=1)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_what_is_not_a_file_is_wrong_usage(customers: Warehouse, tmp_path: Path, name: str) -> None:
    """With the reason of the operating system."""
    with pytest.raises(UsageError, match=r"No such file|Is a directory"):
        import_contacts(customers, tmp_path / name, key=KEY, reject_limit=1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"{HEADER}\n{text}".encode()))
def test_whatever_a_file_holds_the_answer_is_one_for_people(
    customers: Warehouse, tmp_path: Path, content: bytes
) -> None:
    """An import, or a refusal: no traceback."""
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)
    with suppress(UsageError):
        assert import_contacts(customers, file, key=KEY, reject_limit=1).contacts == 0


def test_dialects_of_spreadsheets_are_read(customers: Warehouse, tmp_path: Path) -> None:
    """A byte order mark, semicolons, Windows' line ends, columns in any order, numbers with decimals."""
    file = tmp_path / "contacts.csv"
    header = ";".join(reversed(COLUMNS))
    file.write_bytes(f"\ufeff{header}\r\nYES;corporate;fair;2011-05-01;consent;Some@Example.TEST;7.0\r\n".encode())
    assert import_contacts(customers, file, key=KEY, reject_limit=0).contacts == 1
    assert reach(customers, judge("customer_id = 7")) == {"": 1}


def test_too_many_bad_lines_refuse_the_file(customers: Warehouse, tmp_path: Path) -> None:
    """Then nothing is imported, and the reasons are told."""
    with pytest.raises(UsageError, match=r"2 of 3 lines cannot be read, and 1% may be \(LGS_REJECT_LIMIT\)"):
        imported(customers, tmp_path, line(1), line(999), line(998), limit=0.01)
    assert reach(customers, EVERYBODY) == {"no contact": 40}


def test_without_its_key_nothing_is_imported(customers: Warehouse, tmp_path: Path) -> None:
    """Nor with another one than before, by which no suppression would be recognised."""
    with pytest.raises(UsageError, match="set LGS_CONTACT_KEY"):
        imported(customers, tmp_path, line(1), key=None)
    imported(customers, tmp_path, line(1))
    with pytest.raises(UsageError, match="LGS_CONTACT_KEY is not the key"):
        imported(customers, tmp_path, line(2), key=KEY + "!")
    assert reach(customers, EVERYBODY)[""] == 1


def test_the_key_is_that_of_the_first_import(
    customers: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped one that some other command was given pins nothing; nor does one of an import of nobody."""
    monkeypatch.setenv("LGS_DROP", str(tmp_path))
    assert present_places(customers, [Drop(str(tmp_path))], key=KEY + "!")
    imported(customers, tmp_path, line(999), key=KEY + "?")
    imported(customers, tmp_path, line(1))
    with pytest.raises(UsageError, match="LGS_CONTACT_KEY is not the key"):
        present_places(customers, [Drop(str(tmp_path))], key=KEY + "!")
    forget_contact(customers, 1)
    with pytest.raises(UsageError, match="LGS_CONTACT_KEY is not the key"):
        imported(customers, tmp_path, line(2), key=KEY + "!")


@pytest.mark.parametrize("ledger", LEDGERS)
def test_who_is_gone_from_the_data_can_still_object_and_be_forgotten(customers: Warehouse, ledger: str) -> None:
    """A corrected dump may have no invoice of theirs, and a list may hold them all the same."""
    with psycopg.connect(customers.url) as connection:
        connection.execute(LEDGERS[ledger].encode())
    object_to_marketing(customers, 999)
    forget_contact(customers, 999)
    assert not forget_contact(customers, 999).had_contact
    with pytest.raises(LgsError, match="There is no customer 998"):
        object_to_marketing(customers, 998)


def test_an_address_that_an_objector_had_later_is_suppressed_too(customers: Warehouse, tmp_path: Path) -> None:
    """For any other customer as well; the import says that such a yes changes nothing."""
    imported(customers, tmp_path, line(1))
    object_to_marketing(customers, 1)
    file = contacts_file(tmp_path, [line(1, email="later@example.test"), line(2)])
    assert import_contacts(customers, file, key=KEY, reject_limit=0).objected == 1
    imported(customers, tmp_path, line(1, email="last@example.test"))
    assert imported(customers, tmp_path, line(3, email="later@example.test")) == []
    assert reach(customers, judge("customer_id <= 3")) == {"": 1, "objected": 1, "suppressed": 1}
    said = lgs("contacts", "import", str(contacts_file(tmp_path, [line(1), line(2)])))
    assert "1 of them objected before, whatever the file says" in said.output


def test_a_pseudonym_is_of_the_address_and_the_key(customers: Warehouse, tmp_path: Path) -> None:
    """Spelling of the address makes no difference; without the key nothing can be guessed."""
    assert pseudonym(KEY, " Some@Example.test ") == pseudonym(KEY, "some@example.test")
    assert pseudonym(KEY, "some@example.test") != pseudonym(KEY + "!", "some@example.test")


def test_who_may_not_be_written_to_is_counted_with_the_reason(customers: Warehouse, tmp_path: Path) -> None:
    """No contact, declined, objected, forgotten: each customer once."""
    imported(customers, tmp_path, line(1), line(2, ok="no"), line(3), line(4))
    object_to_marketing(customers, 3)
    forget_contact(customers, 4)
    assert reach(customers, EVERYBODY) == {
        "": 1, "declined marketing": 1, "forgotten": 1, "no contact": 36, "objected": 1
    }  # fmt: skip


@pytest.mark.parametrize("suppress", [object_to_marketing, forget_contact])
def test_every_address_that_somebody_had_is_suppressed(
    customers: Warehouse, tmp_path: Path, suppress: Callable[[Warehouse, int], object]
) -> None:
    """Not only the last one; but not one that is another customer's by now."""
    for email in ("first@example.test", "second@example.test", "third@example.test"):
        imported(customers, tmp_path, line(1, email=email))
    imported(customers, tmp_path, line(2, email="second@example.test"))
    suppress(customers, 1)
    imported(customers, tmp_path, line(3, email="first@example.test"))
    assert reach(customers, judge("customer_id in (2, 3)")) == (
        {"": 1, "suppressed": 1} if suppress is object_to_marketing else {"": 1, "no contact": 1}
    )
    with psycopg.connect(customers.url) as connection:  # as one that was made before these were kept
        connection.execute("drop table lgs_private.former_keys")
    object_to_marketing(customers, 2)


def test_an_old_file_revives_nobody_who_declined(customers: Warehouse, tmp_path: Path) -> None:
    """A yes is believed if its basis is of after the day on which the no was imported."""
    imported(customers, tmp_path, line(1, ok="no"), line(2))
    (reason,) = imported(customers, tmp_path, line(1), line(2))
    assert "marketing_ok: expected a basis dated after that day; found yes, of a customer who declined by" in reason
    assert reach(customers, judge("customer_id <= 2")) == {"": 1, "declined marketing": 1}
    with psycopg.connect(customers.url) as connection:
        connection.execute("update lgs_private.contacts set imported_at = '2011-04-30'")
    assert imported(customers, tmp_path, line(1)) == []
    assert reach(customers, judge("customer_id <= 2")) == {"": 2}


@pytest.mark.parametrize("value", ["Smith", "jane-doe", "jane_doe"])
def test_a_name_in_the_wrong_column_is_not_quoted(customers: Warehouse, tmp_path: Path, value: str) -> None:
    """Digits and dates are."""
    lines = line(1, basis=value), line(value), line(1, ok=value), line(1, basis_at="2999")
    wrong = imported(customers, tmp_path, *lines)
    assert len(wrong) == 4 and not any(value in reason for reason in wrong) and "2999" in "".join(wrong)


def test_no_address_is_in_what_python_shows_of_a_value() -> None:
    """An error or a log may show it."""
    contact = Contact(1, address(1), "consent", date(2011, 5, 1), "checkout", "individual", True)
    shown = repr(
        [contact, Change("add", 1, address(1), {}), Listed(1, address(1), {}), Member("1", False, email=address(1))]
    )
    assert CANARY not in shown and "Contact(1)" in shown


def test_a_suppression_outlives_the_contact(customers: Warehouse, tmp_path: Path) -> None:
    """Who is forgotten is not brought back by the next file, under no number and at no address; an objection stays."""
    imported(customers, tmp_path, line(1), line(2), line(3))
    assert forget_contact(customers, 1).had_contact
    object_to_marketing(customers, 2)
    reasons = imported(
        customers, tmp_path, line(1), line(2), line(3, email=address(1)), line(1, email="new@example.test")
    )
    assert len(reasons) == 3 and all("forgotten" in reason for reason in reasons)
    assert reach(customers, judge("customer_id <= 3")) == {"forgotten": 1, "objected": 1, "": 1}
    assert contact_status(customers).suppressed == {"forgotten": 1, "objected": 1}
    assert not forget_contact(customers, 1).had_contact
    with pytest.raises(LgsError, match="There is no customer 999"):
        forget_contact(customers, 999)


def test_no_address_of_who_objected_is_free_for_another_number(customers: Warehouse, tmp_path: Path) -> None:
    """Also one that an import of a former version gave them after they objected, which suppressed it not."""
    imported(customers, tmp_path, line(1))
    object_to_marketing(customers, 1)
    with customers.transaction() as connection, as_activator(cursor := driver_cursor(connection)):
        second = "second@example.test"
        cursor.execute("update lgs_private.contacts set email = %s, email_key = %s", [second, pseudonym(KEY, second)])
    imported(customers, tmp_path, line(1, email="third@example.test"))
    imported(customers, tmp_path, line(2, email="second@example.test"))
    assert reach(customers, judge("customer_id <= 2")) == {"objected": 1, "suppressed": 1}


def test_an_unknown_customer_who_objects_at_a_tool_holds_up_no_other(customers: Warehouse, tmp_path: Path) -> None:
    """Such as one whose dump was taken out: what a list says of several is written down as one."""
    imported(customers, tmp_path, line(1))
    object_to_marketing(customers, 999, 1, source="klaviyo")
    assert contact_status(customers).suppressed == {"objected": 1}
    excluded = customers.rows("select customer_id from marketing_exclusions order by 1")
    assert [row.customer_id for row in excluded] == [1, 999]


@pytest.mark.parametrize("role", ["lgs_owner", "lgs_writer", "lgs_reader"])
def test_only_the_activator_sees_contacts(customers: Warehouse, tmp_path: Path, role: str) -> None:
    """Neither the owner of the tables, nor the pipeline, nor an analyst."""
    imported(customers, tmp_path, line(1))
    with psycopg.connect(customers.url) as connection:
        connection.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from lgs_private.contacts")


def test_a_login_without_the_role_sees_the_rest(customers: Warehouse, tmp_path: Path) -> None:
    """The pipeline's: the size of audiences is told, and what to do to see contacts."""
    imported(customers, tmp_path, line(1))
    with psycopg.connect(customers.url, autocommit=True) as connection:
        connection.execute("create role pipe login password 'pipe' in role lgs_writer")
    url = sa.make_url(customers.url).set(username="pipe", password="pipe").render_as_string(hide_password=False)
    theirs = Warehouse(url)
    try:
        assert reach(theirs, EVERYBODY) == {"contacts hidden from this login": 40}
        with pytest.raises(LgsError, match="grant lgs_activator to pipe"):
            imported(theirs, tmp_path, line(2))
    finally:
        theirs.engine.dispose()
        with psycopg.connect(customers.url, autocommit=True) as connection:
            connection.execute("drop role pipe")


HANDLING = {
    "import": "contacts import nowhere.csv",
    "status": "contacts status",
    "object": "contacts object 1",
    "forget": "forget-customer 1 --yes",
    "plan": "activate plan first_to_see drop",
    "apply": "activate apply 1",
    "drift": "activate drift first_to_see drop",
}


@pytest.mark.parametrize("command", HANDLING)
def test_a_login_that_cannot_keep_addresses_out_of_the_log_is_told(
    customers: Warehouse, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """In one line, which has what to do, by each command that handles contacts; done, it is silent."""
    monkeypatch.setenv("LGS_DROP", "/nowhere")
    assert log_warning(customers) is None
    with psycopg.connect(customers.url, autocommit=True) as connection:
        connection.execute("create role pipe login password 'pipe' in role lgs_writer")
        connection.execute("grant lgs_activator to pipe with inherit false")
        url = sa.make_url(customers.url).set(username="pipe", password="pipe").render_as_string(hide_password=False)
        monkeypatch.setenv("LGS_DATABASE_URL", url)
        try:
            said = lgs(*HANDLING[command].split()).stderr.splitlines()[0]
            assert said.startswith("Whoever reads PostgreSQL's log may see addresses")
            remedy = said.partition("run: ")[2]
            assert remedy == "grant set on parameter log_parameter_max_length to pipe"
            connection.execute(remedy.encode())
            assert lgs("contacts", "status").stderr == ""
        finally:
            connection.execute("drop owned by pipe")
            connection.execute("drop role pipe")


def test_a_warehouse_of_before_gets_the_schema_when_it_is_needed(customers: Warehouse, tmp_path: Path) -> None:
    """Nobody has to do anything by hand where the login may make it."""
    with psycopg.connect(customers.url, autocommit=True) as connection:
        connection.execute("drop schema lgs_private cascade")
    assert reach(customers, EVERYBODY) == {"no contact": 40}
    assert contact_status(customers).contacts == {}
    assert imported(customers, tmp_path, line(1)) == []


def test_demo_contacts_are_of_example_test_and_can_be_imported(customers: Warehouse, tmp_path: Path) -> None:
    """The same each time; some have none, some declined, some are firms."""
    header, *rows = demo_contacts(range(1, 41))
    lines = [",".join(map(str, row)) for row in rows]
    assert ",".join(map(str, header)) == HEADER
    assert all("@example.test," in each for each in lines)
    assert imported(customers, tmp_path, *lines, limit=0) == []
    counts = reach(customers, EVERYBODY)
    assert counts[""] > 20 and counts["no contact"] > 0 and counts["declined marketing"] > 0


def test_no_address_turns_up_anywhere_else(customers: Warehouse, tmp_path: Path) -> None:
    """Whatever is imported, refused, forgotten or shown: not in the tables, in `.lgs` or on the terminal."""
    file = contacts_file(tmp_path, [line(1), line(2), line(3, email="canary at home"), line("canary@example.test")])
    shown = [lgs("contacts", "import", str(file))]
    assert shown[0].exit_code == 2, shown[0].output
    file = contacts_file(tmp_path, [line(1), line(2), line(3)])
    for arguments in (
        ["contacts", "import", str(file)],
        ["contacts", "status"],
        ["contacts", "object", "2"],
        ["forget-customer", "1", "--yes"],
        ["audience", "preview", "true"],
        ["config"],
    ):
        shown.append(lgs(*arguments))
        assert shown[-1].exit_code == 0, shown[-1].output
    assert all(CANARY not in each.output and KEY not in each.output for each in shown)
    said = "The others: no contact 37. In no audience, whatever its rule: forgotten 1; objected 1."
    assert said in shown[-2].output.replace("\n", " ")
    assert CANARY not in tables_outside(customers.url)
    state = [path.read_bytes() for path in Configuration.read().state.rglob("*") if path.is_file()]
    assert all(CANARY.encode() not in content for content in state)
    with customers.engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from lgs_private.contacts")).scalar_one() == 2
