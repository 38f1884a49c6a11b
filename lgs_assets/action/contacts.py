"""The people behind customers: where they can be reached, on what basis, and who must never be written to.

An address leaves this room only towards a destination. In every text, table and error elsewhere it goes by its
pseudonym, HMAC-SHA256 under LGS_CONTACT_KEY: without the key there is no way from a pseudonym to an address.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import psycopg.sql

from lgs_assets.action.audiences import FORGOTTEN, OBJECTED, exclude
from lgs_assets.action.contact_file import Contact, ContactReject, content_of, read_contacts
from lgs_assets.action.lists.leaving import insert_erasures, insert_removals
from lgs_assets.action.private import as_activator, is_prepared, may_see, prepare_private
from lgs_assets.action.recipients import NO_CONTACT, recipients, why_not
from lgs_assets.action.rules import Rule
from lgs_assets.errors import LgsError, UsageError
from lgs_assets.places import TIME_ZONE
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.locks import lock_by_key
from lgs_assets.warehouse.schema import Cursor, driver_cursor
from lgs_assets.wording import counted

SHOWN_REJECTS = 5
OURS = "lgs"
"""Where somebody objected who told the shop itself."""

# Held while contacts change, so that two imports do not collide. Any number serves that nobody else locks.
_LOCK = 5_302_012
_CHECKED = b"lgs contact key"

# Whom the data has, or a ledger: a customer can be gone from the data, and still be on a list.
_KNOWN = """
select customer_id from customer_profile where customer_id = any (%(customers)s)
union
select customer_id from marketing_exclusions where customer_id = any (%(customers)s)
union
select customer_id from destination_members where customer_id = any (%(customers)s)
union
select customer_id from left_behind where customer_id = any (%(customers)s)
union
select customer_id from activation_changes where customer_id = any (%(customers)s)
"""

HIDDEN = "contacts hidden from this login"


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    contacts: int
    objected: int
    """Of these, whose file says yes though they objected: nothing is sent to them, nor to this address of theirs."""
    rejects: list[ContactReject]
    removals: list[int]
    """The plans by which those leave their lists who may not be written to by now."""


class _Earlier(NamedTuple):
    """What is known before an import."""

    known: set[int]
    """Customers who have bought."""
    owners: Mapping[bytes, int]
    """Whose each address is."""
    declined: Mapping[int, date]
    """When it was recorded who does not want to be written to."""
    forgotten: set[int]
    forgotten_keys: set[bytes]


def pseudonym(key: str, email: str) -> bytes:
    """What an address goes by."""
    return hmac.digest(key.encode(), email.strip().lower().encode(), "sha256")


def import_contacts(warehouse: Warehouse, file: Path, *, key: str | None, reject_limit: float) -> Imported:
    """Imports a file of contacts. Those of the same customers are replaced, others stay.

    Lines that are no contacts are kept aside with the reason. Raises UsageError without a key, with another key than
    before, for a file that cannot be read, and for one of which a larger share than `reject_limit` is rejected: then
    nothing is imported.
    """
    if key is None:
        raise UsageError(
            "Contacts need a key for their pseudonyms: set LGS_CONTACT_KEY to 32 characters or more, and keep it."
        )
    content = content_of(file)
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_by_key(cursor, _LOCK, "Importing contacts")
        cursor.execute("select (now() at time zone %s)::date, to_regclass('customer_profile') is not null", [TIME_ZONE])
        ((today, is_built),) = cursor.fetchall()
        if not is_built:
            raise LgsError("There is no table customer_profile yet, so no customer is known: lgs run")
        cursor.execute("select customer_id from customer_profile")
        known = {customer for (customer,) in cursor}
        with as_activator(cursor):
            _keep_key(cursor, key)
            expect_key(cursor, key)
            cursor.execute("select customer_id, email_key from lgs_private.contacts")
            owners = {bytes(email_key): customer for customer, email_key in cursor}
            cursor.execute("select email_key from lgs_private.suppressions where reason = %s", [FORGOTTEN])
            forgotten_keys = {bytes(email_key) for (email_key,) in cursor}
            cursor.execute("select customer_id from lgs.marketing_exclusions where reason = %s", [FORGOTTEN])
            forgotten = {customer for (customer,) in cursor}
            read, rejects = read_contacts(file.name, content, today=today)
            cursor.execute(
                "select customer_id, (imported_at at time zone %s)::date from lgs_private.contacts "
                "where not marketing_ok",
                [TIME_ZONE],
            )
            declined: dict[int, date] = dict(cursor.fetchall())
            earlier = _Earlier(known, owners, declined, forgotten, forgotten_keys)
            contacts = dict(_accepted(read, rejects, key, earlier))
            rejects.sort()
            lines = len(contacts) + len(rejects)
            if len(rejects) > reject_limit * lines:
                raise UsageError(_refusal(file.name, lines, rejects, reject_limit))
            objected = _store(cursor, contacts)
            cursor.execute(
                "insert into lgs_private.imports (file, sha256, contacts, rejected, imported_at) "
                "values (%s, %s, %s, %s, now()) returning import",
                [file.name, sha256(content).hexdigest(), len(contacts), len(rejects)],
            )
            ((number,),) = cursor.fetchall()
            cursor.executemany(
                "insert into lgs_private.rejects values (%s, %s, %s, %s, %s)",
                [(number, reject.line, reject.column, reject.found, reject.expected) for reject in rejects],
            )
        removals = insert_removals(cursor)
    return Imported(len(contacts), objected, rejects, removals)


class Suppressed(NamedTuple):
    """What suppressing customers did."""

    had_contact: bool
    removals: list[int]
    """The plans by which they leave the lists that hold them."""
    erasures: dict[str, list[int]]
    """The plans by which destinations delete them."""


def object_to_marketing(warehouse: Warehouse, *customers: int, source: str = OURS) -> Suppressed:
    """Writes objections down: the addresses are suppressed for good, and the customers leave every audience and list.

    `source` is where they objected: at a destination they are on a list, whatever else is known of them. Raises
    LgsError for an unknown customer who is not.
    """
    return _suppress(warehouse, customers, OBJECTED, source)


def forget_contact(
    warehouse: Warehouse, customer_id: int, *, erasing: Mapping[str, str] = MappingProxyType({})
) -> Suppressed:
    """Deletes a customer's contact, suppresses the address for good, and takes them out of every audience and list.

    What destinations are to be asked is planned in the same transaction: the `erasing`, with their present places, to
    delete them. Invoices stay, under the customer's number.
    """
    return _suppress(warehouse, [customer_id], FORGOTTEN, OURS, erasing)


def _suppress(
    warehouse: Warehouse,
    customers: Sequence[int],
    reason: str,
    source: str,
    erasing: Mapping[str, str] = MappingProxyType({}),
) -> Suppressed:
    prepare_private(warehouse)
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        lock_by_key(cursor, _LOCK, "Suppressing a contact")
        cursor.execute(_KNOWN, {"customers": list(customers)})
        known = {customer for (customer,) in cursor}
        with as_activator(cursor):
            cursor.execute(
                """
                insert into lgs_private.suppressions
                select email_key, %s, now(), %s
                from (
                    select email_key from lgs_private.contacts where customer_id = any (%s)
                    union
                    select email_key
                    from lgs_private.former_keys
                    where customer_id = any (%s) and not exists (
                        select
                        from lgs_private.contacts as present -- an address can change hands
                        where present.email_key = former_keys.email_key
                            and present.customer_id <> former_keys.customer_id
                    )
                ) as theirs
                on conflict (email_key) do update set reason = excluded.reason where excluded.reason = 'forgotten'
                """,
                [reason, source, list(customers), list(customers)],
            )
            cursor.execute(
                "select customer_id from lgs_private.contacts where customer_id = any (%s)", [list(customers)]
            )
            with_contact = {customer for (customer,) in cursor}
            if reason == FORGOTTEN:
                for table in (b"contacts", b"former_keys"):
                    cursor.execute(
                        b"delete from lgs_private." + table + b" where customer_id = any (%s)", [list(customers)]
                    )
        if source == OURS and (unknown := set(customers) - known - with_contact):
            raise LgsError(f"There is no customer {min(unknown)}.")
        exclude(cursor, customers, reason)
        erasures = insert_erasures(cursor, customers, erasing)  # first: whom it deletes needs no removal
        return Suppressed(bool(with_contact), insert_removals(cursor, customers), erasures)


@dataclass(frozen=True)
class ContactStatus:
    """What is known of contacts, in numbers."""

    contacts: dict[tuple[str, str], int]
    """How many by lawful basis and kind of subscriber."""
    declined: int
    suppressed: dict[str, int]
    """Addresses by the reason why nothing is sent to them."""
    rejects: list[ContactReject]
    """Those of the last import."""


def contact_status(warehouse: Warehouse) -> ContactStatus:
    """The contacts in numbers, and the rejected lines of the last import."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        if not is_prepared(cursor):
            return ContactStatus({}, 0, {}, [])
        with as_activator(cursor):
            cursor.execute(
                "select lawful_basis, subscriber_kind, count(*) from lgs_private.contacts group by 1, 2 order by 1, 2"
            )
            contacts = {(basis, kind): number for basis, kind, number in cursor}
            cursor.execute("select count(*) from lgs_private.contacts where not marketing_ok")
            ((declined,),) = cursor.fetchall()
            cursor.execute("select reason, count(*) from lgs_private.suppressions group by 1 order by 1")
            suppressed: dict[str, int] = dict(cursor.fetchall())
            cursor.execute(
                "select line, column_name, found, expected from lgs_private.rejects "
                "where import = (select max(import) from lgs_private.imports) order by line"
            )
            rejects = [ContactReject(*row) for row in cursor]
    return ContactStatus(contacts, declined, suppressed, rejects)


def is_contact(warehouse: Warehouse, email: str, *, key: str) -> bool:
    """Whether an address is the contact of a customer."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        with as_activator(cursor):
            cursor.execute(
                "select exists (select from lgs_private.contacts where email_key = %s)", [pseudonym(key, email)]
            )
            return cursor.fetchone() == (True,)


def reach(warehouse: Warehouse, rule: Rule) -> dict[str, int]:
    """Of the customers whom a rule finds, how many may be sent to, under the empty name; and why the others may not."""
    with warehouse.transaction() as connection:
        cursor = driver_cursor(connection)
        condition = psycopg.sql.SQL(rule.sql)
        if not (is_there := is_prepared(cursor)) or not may_see(cursor):
            cursor.execute(psycopg.sql.SQL("select count(*) from audience_facts where {}").format(condition))
            ((customers,),) = cursor.fetchall()
            return {HIDDEN if is_there else NO_CONTACT: customers}
        with as_activator(cursor):
            cursor.execute(
                psycopg.sql.SQL(
                    "select coalesce({why_not}, ''), count(*) from audience_facts {recipients} where {condition} "
                    "group by 1 order by 1"
                ).format(
                    why_not=psycopg.sql.SQL(why_not()),
                    recipients=psycopg.sql.SQL(recipients("audience_facts.customer_id")),
                    condition=condition,
                )
            )
            return dict(cursor.fetchall())


def expect_key(cursor: Cursor, key: str | None) -> str:
    """The key, if it is that of the contacts; as lgs_activator. Until there are any, every key will do.

    Raises UsageError if there is none, or it is another.
    """
    if key is None:
        raise UsageError("Contacts cannot be told apart without their key: set LGS_CONTACT_KEY.")
    cursor.execute(
        """
        select check_value
        from lgs_private.contact_key
        where exists (select from lgs_private.contacts)
            or exists (select from lgs_private.suppressions)
            or exists (select from lgs_private.former_keys)
        """
    )
    known = cursor.fetchone()
    if known and not hmac.compare_digest(bytes(known[0]), _check_value(key)):
        raise UsageError(
            "LGS_CONTACT_KEY is not the key that the contacts and suppressions were made with. No suppression would be "
            "recognised, so nothing is done. Set the former key."
        )
    return key


def _check_value(key: str) -> bytes:
    return hmac.digest(key.encode(), _CHECKED, "sha256")


def _keep_key(cursor: Cursor, key: str) -> None:
    """Makes the key that of the contacts, if nothing was made with another."""
    cursor.execute(
        """
        insert into lgs_private.contact_key (check_value, since)
        values (%s, now())
        on conflict (only_row) do update
        set (check_value, since) = (excluded.check_value, excluded.since)
        where not exists (select from lgs_private.contacts)
            and not exists (select from lgs_private.suppressions)
            and not exists (select from lgs_private.former_keys)
        """,
        [_check_value(key)],
    )


def _accepted(
    read: list[tuple[int, Contact]],
    rejects: list[ContactReject],
    key: str,
    earlier: _Earlier,
) -> Iterator[tuple[int, tuple[Contact, bytes]]]:
    """The contacts that agree with each other and with what is known, by customer; of the others, why they do not."""
    by_key: dict[bytes, set[int]] = defaultdict(set)
    times = Counter(contact.customer_id for _, contact in read)
    keys = {line: pseudonym(key, contact.email) for line, contact in read}
    for line, contact in read:
        by_key[keys[line]].add(contact.customer_id)
    for line, contact in read:
        customer, email_key = contact.customer_id, keys[line]
        owner = earlier.owners.get(email_key, customer)
        if customer not in earlier.known:
            wrong = ("customer_id", str(customer), "a customer who has bought")
        elif customer in earlier.forgotten:
            wrong = ("customer_id", "a customer who asked to be forgotten", "a customer who may be contacted")
        elif email_key in earlier.forgotten_keys:
            wrong = ("email", "the address of somebody who asked to be forgotten", "an address that may be kept")
        elif contact.marketing_ok and contact.basis_at <= (day := earlier.declined.get(customer, date.min)):
            wrong = ("marketing_ok", f"yes, of a customer who declined by {day}", "a basis dated after that day")
        elif times[customer] > 1:
            wrong = ("customer_id", f"customer {customer} in {times[customer]} lines", "one line a customer")
        elif len(by_key[email_key]) > 1:
            wrong = ("email", f"the address of {len(by_key[email_key])} customers", "an address of one customer")
        elif owner != customer:
            wrong = ("email", f"the address of customer {owner}", "an address of one customer")
        else:
            yield customer, (contact, email_key)
            continue
        rejects.append(ContactReject(line, *wrong))


def _store(cursor: Cursor, contacts: Mapping[int, tuple[Contact, bytes]]) -> int:
    """Replaces contacts. Not by COPY, whose errors quote the line in the log of the server.

    Who objected did so at every address, also of later: all are suppressed. Returns how many of them say yes.
    """
    cursor.execute(
        "insert into lgs_private.former_keys select customer_id, email_key from lgs_private.contacts "
        "where customer_id = any (%s) on conflict do nothing",
        [list(contacts)],
    )
    cursor.execute("delete from lgs_private.contacts where customer_id = any (%s)", [list(contacts)])
    columns = zip(*((*contact, email_key) for contact, email_key in contacts.values()), strict=True)
    cursor.execute(
        """
        insert into lgs_private.contacts (
            customer_id, email, lawful_basis, basis_at, source, subscriber_kind, marketing_ok, email_key, imported_at
        )
        select *, now()
        from unnest(
            %s::integer[], %s::text[], %s::text[], %s::date[], %s::text[], %s::text[], %s::boolean[], %s::bytea[]
        )
        """,
        [list(column) for column in columns] or [[]] * 8,
    )
    cursor.execute(
        """
        insert into lgs_private.suppressions
        select email_key, reason, now(), %s
        from (
            select customer_id, email_key from lgs_private.contacts
            union
            select customer_id, email_key from lgs_private.former_keys
        ) as theirs
        inner join lgs.marketing_exclusions using (customer_id)
        where not exists (
            select
            from lgs_private.contacts as present -- an address can change hands
            where present.email_key = theirs.email_key and present.customer_id <> theirs.customer_id
        )
        on conflict do nothing
        """,
        [OURS],
    )
    cursor.execute(
        "select count(*) from lgs_private.contacts inner join lgs.marketing_exclusions using (customer_id) "
        "where customer_id = any (%s) and marketing_ok",
        [list(contacts)],
    )
    ((objected,),) = cursor.fetchall()
    return int(objected)


def _refusal(name: str, lines: int, rejects: list[ContactReject], limit: float) -> str:
    shown = "\n".join(f"{name}: {reject}" for reject in rejects[:SHOWN_REJECTS])
    more = f"\nand {len(rejects) - SHOWN_REJECTS:,} more" if len(rejects) > SHOWN_REJECTS else ""
    return (
        f"{name}: {len(rejects):,} of {counted(lines, 'line')} cannot be read, and {limit:.0%} may be "
        f"(LGS_REJECT_LIMIT). Nothing is imported.\n{shown}{more}"
    )
