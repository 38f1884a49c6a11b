"""Who may be written to, and why others may not: one expression, for plans, requests, lists and removals."""

from lgs_assets import places

NO_CONTACT = "no contact"
DECLINED = "declined marketing"
SUPPRESSED = "suppressed"
NOT_MATCHED = "no consent to be matched"
URGENT = frozenset({"objected", "forgotten", SUPPRESSED, DECLINED, NOT_MATCHED})
"""Why a customer must be removed from every list, whatever a guard says."""

_DO_NOT_CONTACT = (places.SQL / "do_not_contact.sql").read_text()
"""Also whom a running experiment leaves alone, whatever audience they are a member of: one may hold the members of
another, so to leave them out of its own would not be enough."""


def people(customer: str) -> str:
    """Joins to a column that is a customer, by which WHY_NEVER can be asked. As lgs_activator."""
    return f"""
    left join lgs.marketing_exclusions as excluded on excluded.customer_id = {customer}
    left join lgs_private.contacts as contacts on contacts.customer_id = {customer}
    left join lgs_private.suppressions as suppressions on suppressions.email_key = contacts.email_key
    """


def recipients(customer: str) -> str:
    """Joins to a column that is a customer, by which `why_not` can be asked. As lgs_activator."""
    return f"""
    {people(customer)}
    left join ({_DO_NOT_CONTACT}) as do_not_contact on do_not_contact.customer_id = {customer}
    """


WHY_NEVER = f"""
    coalesce(
        excluded.reason,
        case
            when contacts.customer_id is null then '{NO_CONTACT}'
            when suppressions.email_key is not null then '{SUPPRESSED}'
            when not contacts.marketing_ok then '{DECLINED}'
        end
    )
"""
"""An expression: why a customer may not be written to, whatever is built and whichever experiments run."""


WHY_NOT_MATCHED = f"case when contacts.lawful_basis <> 'consent' then '{NOT_MATCHED}' end"


def why_not(*, hashed: bool = False) -> str:
    """An expression: why a customer may not be written to, or NULL if they may.

    An experiment is the last reason: those whom it holds back would have been sent.
    Hashed addresses are for networks that match them with their own users: that takes a consent.
    """
    return f"""
    coalesce(
        {WHY_NEVER},
        {WHY_NOT_MATCHED if hashed else "null"},
        do_not_contact.reason
    )
    """
