"""The tools that lists go to: what each is told, what it may not be told, and what is made of its answers."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import pytest

from lgs_assets.action.destinations import hubspot as hubspot_module
from lgs_assets.action.destinations import klaviyo as klaviyo_module
from lgs_assets.action.destinations.configured import NEEDS, configured_destinations, destination_named
from lgs_assets.action.destinations.protocol import AccessError, Answer, Batch, BatchError, BusyError, Change, Member
from lgs_assets.action.destinations.web import Reply, identifier, reason_in, refuse_errors
from lgs_assets.configuration import Configuration
from lgs_assets.errors import LgsError, UnavailableError, UsageError
from lgs_assets_tests.action.people import CANARY, address
from lgs_assets_tests.action.tools import SECRET, HubSpotTool, KlaviyoTool, MailchimpTool, Tool, serving


@pytest.fixture
def klaviyo() -> Iterator[KlaviyoTool]:
    tool = KlaviyoTool()
    with serving(tool):
        yield tool
        assert tool.problems == []


@pytest.fixture
def mailchimp() -> Iterator[MailchimpTool]:
    tool = MailchimpTool()
    with serving(tool):
        tool.know(*range(1, 10))
        yield tool
        assert tool.problems == []


@pytest.fixture
def hubspot() -> Iterator[HubSpotTool]:
    tool = HubSpotTool()
    with serving(tool):
        tool.know(*range(1, 10))
        yield tool
        assert tool.problems == []


def batch(*changes: Change, passed_on: Iterable[str] = ()) -> Batch:
    return Batch("some", 1, 1, changes, "key", datetime.now(UTC), frozenset(passed_on))


def adds(customers: Iterable[int], **fields: Any) -> list[Change]:
    return [Change("add", customer, address(customer), fields) for customer in customers]


def test_members_enter_change_and_leave(tool: Tool) -> None:
    """The list holds whom it should, and the tool knows of them what it may."""
    destination = tool.destination()
    answer = destination.send(batch(*adds((1, 2, 3), spent="12.50", vip=True)))
    assert answer.rejected == {}
    assert tool.held() == {1, 2, 3}
    assert {str(value).lower() for value in tool.fields(1).values()} == {"12.50", "true"}
    known = answer.remote_ids
    destination.send(batch(Change("update", 2, address(2), {"spent": None}, known.get(2))))
    assert tool.fields(2).get("spent", tool.fields(2).get("SPENT", "")) == ""
    destination.send(batch(Change("remove", 1, None, {}, known.get(1)), Change("remove", 3, None, {}, known.get(3))))
    assert tool.held() == {2}


def test_a_repeat_changes_nothing(tool: Tool) -> None:
    """What may have arrived is sent again: entering twice and leaving twice are as good as once."""
    destination = tool.destination()
    entering = batch(*adds((1, 2)))
    known = destination.send(entering).remote_ids
    assert destination.send(entering).rejected == {} and tool.held() == {1, 2}
    leaving = batch(Change("remove", 1, None, {}, known.get(1)))
    assert destination.send(leaving).rejected == {}
    assert destination.send(leaving).rejected == {} and tool.held() == {2}


def test_people_whom_somebody_else_put_there_stay(tool: Tool) -> None:
    """Whatever we add and remove."""
    tool.lists["some"].add("R9")
    destination = tool.destination()
    known = destination.send(batch(*adds((1,)))).remote_ids
    destination.send(batch(Change("remove", 1, None, {}, known.get(1))))
    assert tool.held() == {9}


def test_somebody_taken_off_by_hand_is_not_put_back_by_an_update(tool: Tool) -> None:
    """Only entering the audience adds."""
    destination = tool.destination()
    known = destination.send(batch(*adds((1, 2)))).remote_ids
    tool.lists["some"].discard("R1")
    destination.send(batch(Change("update", 1, address(1), {"spent": 2}, known.get(1))))
    assert tool.held() == {2}


PASSING = ["429 with Retry-After", "429", "500", "no answer", "HTML", "invalid JSON", "another JSON", "deep JSON"]
SLOWLY_PASSING = ["hang", "10 MB", "drip"]


@pytest.mark.parametrize(
    ("fault", "after"),
    [*((fault, after) for fault in PASSING for after in range(4)), *((fault, 1) for fault in SLOWLY_PASSING)],
)
def test_what_may_pass_can_be_tried_again(tool: Tool, fault: str, after: int) -> None:
    """At whichever request of a batch it happens: the whole batch is sent once more, and all is well."""
    tool.faults = [*[None] * after, fault]
    patience, begun = 0.7 if fault in SLOWLY_PASSING else 5, time.monotonic()
    with pytest.raises(UnavailableError) as raised:
        tool.destination(seconds=patience).send(batch(*adds((1, 2), spent=1)))
    assert time.monotonic() - begun < 2.5, "an answer that drips in for three seconds was waited for"
    destination = tool.destination()
    if fault == "429 with Retry-After":
        assert isinstance(raised.value, BusyError) and raised.value.wait == 7
    assert destination.send(batch(*adds((1, 2), spent=1))).rejected == {}
    assert tool.held() == {1, 2}


@pytest.mark.parametrize("after", range(5))
def test_an_answer_that_is_lost_does_no_harm(tool: Tool, after: int) -> None:
    """The request was obeyed, and is made again."""
    tool.faults = [*[None] * after, "done, answer lost"]
    destination = tool.destination()
    try:
        destination.send(batch(*adds((1, 2), spent=1)))
    except UnavailableError:
        destination.send(batch(*adds((1, 2), spent=1)))
    assert tool.held() == {1, 2}


@pytest.mark.parametrize("tool", ["klaviyo"], indirect=True)
def test_what_is_refused_after_the_list_was_changed_may_have_arrived(tool: Tool) -> None:
    """Such as by a key that may start jobs, and not ask after them."""
    for after, may_have_arrived in ((0, False), (1, False), (2, True)):
        tool.faults = [*[None] * after, "401"]
        with pytest.raises(AccessError) as raised:
            tool.destination().send(batch(*adds((1,))))
        assert raised.value.may_have_arrived == may_have_arrived == (tool.held() == {1})


@pytest.mark.parametrize("fault", ["401", "redirect"])
@pytest.mark.parametrize("after", [0, 1])
def test_where_we_are_not_let_in_we_stop(tool: Tool, fault: str, after: int) -> None:
    """No redirect is followed. Neither the key nor a hash of an address, which could be guessed, is in a message."""
    tool.faults = [*[None] * after, fault]
    with pytest.raises(AccessError) as raised:
        tool.destination().send(batch(*adds((1,))))
    assert len(tool.requests) == 1 + after
    assert SECRET not in str(raised.value) and SECRET not in repr(tool.destination())
    assert md5(address(1).encode(), usedforsecurity=False).hexdigest() not in str(raised.value)


def test_a_list_is_found_by_its_name_or_not_at_all(tool: Tool) -> None:
    """No list is created: somebody makes it and so says what it is for."""
    tool.lists = {"another": set()}
    with pytest.raises(AccessError, match="named some"):
        tool.destination().send(batch(*adds((1,))))
    assert [method for method, _, _ in tool.requests] == ["GET"]


def test_a_poisoned_row_is_rejected_alone(tool: Tool) -> None:
    """In a job's errors, by its own request, or in a 207: with the reason, without the address."""
    tool.poison = {2}
    answer = tool.destination().send(batch(*adds((1, 2, 3), spent=1)))
    assert answer.rejected.keys() == {2}
    assert "…" in answer.rejected[2] and CANARY not in answer.rejected[2]
    assert tool.held() == {1, 3}


def test_a_list_is_read_back(tool: Tool) -> None:
    """All pages of it, with who objected there; no address of another host is asked."""
    known = tool.destination().send(batch(*adds(range(1, 31)))).remote_ids
    tool.unsubscribe("R5")
    tool.lists["some"].add("R5")
    tool.contacts["R6"] |= {"reasons": [{"reason": "HARD_BOUNCE"}], "state": "cleaned"}
    if isinstance(tool, KlaviyoTool):
        tool.page = 7
    ours = {known.get(customer, str(customer)): customer for customer in range(1, 31)}
    members = list(tool.destination().members("some", ours) or [])
    assert {ours[member.remote_id] for member in members} == set(range(1, 31))
    assert [ours[member.remote_id] for member in members if member.has_objected] == [5]


def test_who_objected_and_is_off_the_list_is_found(tool: Tool) -> None:
    """Of ours alone, however many are missing; who was merely taken off has not objected."""
    if isinstance(tool, KlaviyoTool):
        tool.know(*range(41, 251))
        tool.page = 7
    customers = range(1, 251) if isinstance(tool, KlaviyoTool) else range(1, 41)
    known = tool.destination().send(batch(*adds(customers))).remote_ids
    ours = {known.get(customer, str(customer)): customer for customer in customers if customer != 9}
    tool.lists["some"].clear()
    for customer in (5, 9, customers[-1]):
        tool.unsubscribe(f"R{customer}")
    members = list(tool.destination().members("some", ours) or [])
    assert {ours[member.remote_id] for member in members} == {5, customers[-1]}
    assert all(member.has_objected and not member.is_listed for member in members)


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_a_field_that_the_tool_lacks_refuses_all(tool: Tool) -> None:
    """By its name: that is no fault of a row, which would be looked for by halving."""
    with pytest.raises(AccessError, match=r"(?i)contacts have no (merge field|property) aisle, nowhere"):
        tool.destination().send(batch(*adds((1, 2, 3), spent=1, nowhere=1, aisle=1)))
    assert tool.held() == set() and len(tool.requests) <= 3


@pytest.mark.parametrize("tool", ["mailchimp", "hubspot"], indirect=True)
def test_a_contact_that_is_anothers_now_stays(tool: Tool) -> None:
    """An address changes hands: within a batch, or by what the ledger says of customers outside it."""
    destination = tool.destination()
    destination.send(batch(*adds((1, 2, 3))))
    moved = [Change("update", 1, address(2), {}, "R1"), Change("update", 2, address(3), {}, "R2")]
    destination.send(batch(*moved, Change("remove", 3, None, {}, "R3")))
    assert tool.lists["some"] == {"R2", "R3"}
    destination.send(batch(Change("remove", 4, None, {}, "R2"), passed_on={"R2"}))
    destination.send(batch(Change("update", 5, address(6), {}, "R3"), passed_on={"R3"}))
    assert tool.lists["some"] == {"R2", "R3", "R6"}


def test_requests_keep_to_the_pace_of_the_tool(tool: Tool) -> None:
    """The tool itself counts them, in a time of its own, and notes one that comes too early as a problem."""
    destination = tool.destination()
    for customer in range(1, 10):
        for _ in range(20):
            destination.send(batch(*adds((customer,), spent=1)))
    assert len(tool.requests) > 150


class TestKlaviyo:
    """An import is a job, which one has to wait for."""

    def test_a_job_that_is_cancelled_may_be_started_again(self, klaviyo: KlaviyoTool) -> None:
        """It may have done nothing."""
        klaviyo.ends = ["queued", "cancelled"]
        with pytest.raises(BusyError, match="cancelled"):
            klaviyo.destination().send(batch(*adds((1,))))

    def test_a_job_that_never_ends_is_given_up(self, klaviyo: KlaviyoTool) -> None:
        """After a quarter of an hour."""
        klaviyo.ends = ["processing"]
        before = klaviyo.clock.now
        with pytest.raises(UnavailableError, match="not done after 15 minutes"):
            klaviyo.destination().send(batch(*adds((1,))))
        assert 900 <= klaviyo.clock.now - before < 1000

    def test_errors_without_a_name_refuse_the_batch(self, klaviyo: KlaviyoTool) -> None:
        """So that it is halved down to the guilty row."""
        klaviyo.poison, klaviyo.names_culprits = {2}, False
        with pytest.raises(BatchError, match="the import job failed: … is invalid"):
            klaviyo.destination().send(batch(*adds((1, 2))))

    def test_a_job_that_fails_and_names_nobody_refuses_the_batch(self, klaviyo: KlaviyoTool) -> None:
        """Whoever it failed for would count as accepted."""
        klaviyo.poison, klaviyo.unnamed = {1}, {2}
        for customers, failed, named in (((1, 2, 3), 2, 1), ((2,), 1, 0)):
            with pytest.raises(BatchError, match=f"failed for {failed}, and named {named} of them"):
                klaviyo.destination().send(batch(*adds(customers)))
        assert klaviyo.destination().send(batch(*adds((3,)))).rejected == {}

    @pytest.mark.parametrize("failed", [None, "0", True, 0.0])
    def test_a_job_that_does_not_count_its_failures_confirms_nothing(self, klaviyo: KlaviyoTool, failed: Any) -> None:
        """None missing is not none failed."""
        with pytest.raises(BusyError, match="is not the JSON"):
            klaviyo.destination()._errors("/jobs/J0", [], failed=failed)

    def test_a_profile_with_an_address_of_another_customer_is_not_deleted(self, klaviyo: KlaviyoTool) -> None:
        """Somebody else may have written that number there."""
        klaviyo.know(1, 2)
        of_another = replace(
            batch(*(Change("erase", number, None, {}) for number in (1, 2))), is_contact=address(2).__eq__
        )
        answer = klaviyo.destination().send(of_another)
        assert answer.rejected.keys() == {2} and "another customer's" in answer.rejected[2]
        assert klaviyo.contacts.keys() == {"R2"}

    def test_an_objection_to_the_list_alone_counts(self, klaviyo: KlaviyoTool) -> None:
        """Where one can unsubscribe from a single list; what was said of another list is not about this one."""
        klaviyo.know(1, 2)
        klaviyo.contacts["R1"]["list_reasons"] = [{"list_id": "L-some", "reason": "USER_SUPPRESSED"}]
        klaviyo.contacts["R2"]["list_reasons"] = [{"list_id": "L-another", "reason": "USER_SUPPRESSED"}]
        assert list(klaviyo.destination().members("some", {"1", "2"})) == [Member("1", True, is_listed=False)]

    def test_two_lists_of_a_name_are_none(self, klaviyo: KlaviyoTool) -> None:
        """Nobody can say which is meant."""
        klaviyo.copies = 2
        with pytest.raises(AccessError, match="expected one list named some; there are 2"):
            klaviyo.destination().send(batch(*adds((1,))))

    def test_the_requests_are_those_of_its_documentation(self, klaviyo: KlaviyoTool) -> None:
        """A recorded exchange: the list, the job and its state; then who leaves, by their number."""
        klaviyo.ends = ["complete"]
        destination = klaviyo.destination()
        destination.send(batch(*adds((1,), spent="12.50", gone=None)))
        destination.send(batch(Change("remove", 1, None, {})))
        profile = {
            "type": "profile",
            "attributes": {"external_id": "1", "email": address(1), "properties": {"spent": "12.50"}},
            "meta": {"patch_properties": {"unset": ["gone"]}},
        }
        job = {
            "type": "profile-bulk-import-job",
            "attributes": {"profiles": {"data": [profile]}},
            "relationships": {"lists": {"data": [{"type": "list", "id": "L-some"}]}},
        }
        assert klaviyo.requests == [
            ("GET", "/lists", None),
            ("POST", "/profile-bulk-import-jobs", {"data": job}),
            ("GET", "/profile-bulk-import-jobs/J0", None),
            ("GET", "/lists", None),
            ("GET", "/profiles", None),
            ("DELETE", "/lists/L-some/relationships/profiles", {"data": [{"type": "profile", "id": "R1"}]}),
        ]

    def test_a_deletion_is_of_the_profile(self, klaviyo: KlaviyoTool) -> None:
        """Which is found by the customer's number; one that is gone is not asked for."""
        klaviyo.know(1)
        erased = batch(Change("erase", 1, None, {}))
        assert klaviyo.destination().send(erased).status == 202
        assert klaviyo.destination().send(erased) == Answer(200, said="has no such profile")
        profile = {"data": {"type": "profile", "id": "R1", "attributes": {}}}
        job = {"type": "data-privacy-deletion-job", "attributes": {"profile": profile}}
        assert klaviyo.requests == [
            ("GET", "/profiles", None),
            ("POST", "/data-privacy-deletion-jobs", {"data": job}),
            ("GET", "/profiles", None),
        ]

    def test_deletions_keep_to_their_own_pace(self, klaviyo: KlaviyoTool) -> None:
        """Sixty a minute; the tool notes one that comes too early."""
        klaviyo.know(*range(1, 100))
        klaviyo.destination().send(batch(*(Change("erase", customer, None, {}) for customer in range(1, 100))))
        assert klaviyo.contacts == {}


class TestMailchimp:
    """Only contacts that are there, and a 200 that may hold errors."""

    def test_who_is_no_contact_there_is_rejected(self, mailchimp: MailchimpTool) -> None:
        """To create one would be to say whether they are subscribed."""
        answer = mailchimp.destination().send(batch(*adds((1, 77))))
        assert answer == Answer(200, {77: "Mailchimp has no such contact"}, {1: "R1"})

    def test_a_200_with_errors_is_read(self, mailchimp: MailchimpTool) -> None:
        """It names the addresses that did not enter."""
        mailchimp.contacts["R2"]["is_refused"] = "cannot be added"
        answer = mailchimp.destination().send(batch(*adds((1, 2))))
        assert answer.rejected == {2: "… cannot be added"} and mailchimp.held() == {1}

    @pytest.mark.parametrize("refusal", ["Member In Compliance State", "Forgotten Email Not Subscribed"])
    def test_whom_it_refuses_for_good_has_objected(self, mailchimp: MailchimpTool, refusal: str) -> None:
        """Unsubscribed or deleted there; not whose address bounced, or merely looks wrong."""
        for customer in (1, 2):
            mailchimp.contacts[f"R{customer}"]["refusal"] = refusal
        mailchimp.contacts["R1"]["state"] = "unsubscribed"
        mailchimp.contacts["R2"]["state"] = "cleaned"
        mailchimp.poison = {3}
        answer = mailchimp.destination().send(batch(*adds((1, 2, 3, 4), spent=1)))
        assert answer.rejected.keys() == {1, 2, 3} and answer.objected == {1}
        assert refusal in answer.rejected[1] and CANARY not in str(answer)

    @pytest.mark.parametrize("why", ["no such contact", "refused", "not taken"])
    def test_who_is_rejected_at_another_address_leaves_by_the_former(self, mailchimp: MailchimpTool, why: str) -> None:
        """The shop says that it is not theirs any more. Who is rejected at the same address stays."""
        mailchimp.destination().send(batch(*adds((1, 3))))
        mailchimp.poison = {2, 3} if why == "refused" else {3}
        mailchimp.contacts["R2"]["is_refused"] = "is not taken" if why == "not taken" else None
        email = "nobody@example.test" if why == "no such contact" else address(2)
        changed = (
            Change("update", 1, email, {}, "R1", is_moved=True),
            Change("update", 3, address(3), {"spent": 1}, "R3"),
        )
        answer = mailchimp.destination().send(batch(*changed))
        assert answer.rejected.keys() == {1, 3} and answer.left == {1}
        assert mailchimp.lists["some"] == {"R3"}

    @pytest.mark.parametrize("says", ["no address", "another spelling", "no error"])
    def test_errors_without_a_name_refuse_the_batch(self, mailchimp: MailchimpTool, says: str) -> None:
        """So that it is halved down to the guilty row, and nobody counts as accepted who is not."""
        mailchimp.contacts["R2"]["is_refused"] = "is not taken"
        mailchimp.names_culprits, mailchimp.shows_errors = says != "no address", says != "no error"
        mailchimp.spelling = (lambda email: f"<{email}>") if says == "another spelling" else str
        for customers in ((1, 2, 3), (2,)):
            with pytest.raises(BatchError, match="answered with errors, and not of whom") as raised:
                mailchimp.destination().send(batch(*adds(customers)))
            assert CANARY not in str(raised.value)
        assert mailchimp.destination().send(batch(*adds((1, 3)))).rejected == {}

    def test_who_unsubscribed_is_not_added(self, mailchimp: MailchimpTool) -> None:
        """Mailchimp would hold them on the list all the same."""
        mailchimp.unsubscribe("R1")
        answer = mailchimp.destination().send(batch(*adds((1, 2))))
        assert answer.rejected == {1: "unsubscribed at Mailchimp"} and answer.objected == {1}
        assert mailchimp.held() == {2}

    def test_whom_a_list_refuses_for_good_has_objected(self, mailchimp: MailchimpTool) -> None:
        """Also where a 200 says so, of somebody who is gone by then."""
        mailchimp.contacts["R1"]["is_refused"] = "was permanently deleted and cannot be re-imported"
        answer = mailchimp.destination().send(batch(*adds((1, 2))))
        assert answer.rejected.keys() == {1} and answer.objected == {1}

    def test_a_deletion_is_of_the_contact(self, mailchimp: MailchimpTool) -> None:
        """By the hash of the address, which Mailchimp itself tells; one that is gone is not asked for."""
        subscriber, erased = mailchimp._hash("R1"), batch(Change("erase", 1, None, {}, "R1"))
        for _ in range(2):
            assert mailchimp.destination().send(erased) == Answer(204, said="deleted the contact for good")
        assert mailchimp.requests == [
            ("GET", "/lists/list1/members/R1", None),
            ("POST", f"/lists/list1/members/{subscriber}/actions/delete-permanent", None),
            ("GET", "/lists/list1/members/R1", None),
        ]

    def test_names_of_fields_are_cut_to_what_it_takes(self, mailchimp: MailchimpTool) -> None:
        """To ten characters, by which they must still differ."""
        mailchimp.destination().send(batch(*adds((1,), lgs_segment="Champions")))
        assert mailchimp.fields(1) == {"LGS_SEGMEN": "Champions"}
        with pytest.raises(AccessError, match="two are the same in 10 characters"):
            mailchimp.destination().send(batch(*adds((1,), lgs_segment="Champions", lgs_segments=1)))

    def test_another_address_is_another_contact(self, mailchimp: MailchimpTool) -> None:
        """Who takes the place of the former on the list."""
        mailchimp.destination().send(batch(*adds((1,))))
        answer = mailchimp.destination().send(batch(Change("update", 1, address(2), {}, "R1")))
        assert answer.remote_ids == {1: "R2"} and mailchimp.lists["some"] == {"R2"}

    def test_who_cannot_be_found_any_more_is_told(self, mailchimp: MailchimpTool) -> None:
        """Neither a name of theirs nor an address is known; with the address they are found."""
        mailchimp.destination().send(batch(*adds((1, 2))))
        answer = mailchimp.destination().send(batch(Change("remove", 1, None, {}), Change("remove", 2, address(2), {})))
        assert "look there by hand" in answer.rejected[1] and mailchimp.held() == {1}

    def test_the_requests_are_those_of_its_documentation(self, mailchimp: MailchimpTool) -> None:
        """A recorded exchange."""
        mailchimp.destination().send(batch(*adds((1,), spent="12.50")))
        mailchimp.destination().send(batch(Change("remove", 1, None, {}, "R1")))
        subscriber = mailchimp._hash("R1")
        assert mailchimp.requests == [
            ("GET", "/lists/list1/segments", None),
            ("GET", "/lists/list1/merge-fields", None),
            ("PATCH", f"/lists/list1/members/{subscriber}", {"merge_fields": {"SPENT": "12.50"}}),
            ("POST", "/lists/list1/segments/S-some", {"members_to_add": [address(1)], "members_to_remove": []}),
            ("GET", "/lists/list1/segments", None),
            ("GET", "/lists/list1/members/R1", None),
            ("DELETE", f"/lists/list1/segments/S-some/members/{subscriber}", None),
        ]


class TestHubSpot:
    """Only contacts that are there, and lists that it does not fill itself."""

    def test_who_is_no_contact_there_is_rejected(self, hubspot: HubSpotTool) -> None:
        """A contact is never created."""
        answer = hubspot.destination().send(batch(*adds((1, 77))))
        assert answer == Answer(200, {77: "HubSpot has no such contact"}, {1: "R1"})

    def test_a_list_that_hubspot_fills_is_refused(self, hubspot: HubSpotTool) -> None:
        """Whom one adds there, HubSpot takes off again."""
        hubspot.processing = "DYNAMIC"
        with pytest.raises(AccessError, match="expected a static list"):
            hubspot.destination().send(batch(*adds((1,))))
        hubspot.processing = "SNAPSHOT"  # filled once by a filter, and static since
        hubspot.destination().send(batch(*adds((1,))))
        assert hubspot.held() == {1}

    def test_opting_out_of_our_kind_of_mail_counts(self, hubspot: HubSpotTool) -> None:
        """Where its id is set; what was said of another kind is not about these lists."""
        hubspot.destination().send(batch(*adds((1, 2, 3))))
        hubspot.contacts["R1"]["opted_out_of"] = {"hs_email_optout_77": "true"}
        hubspot.contacts["R2"]["opted_out_of"] = {"hs_email_optout_78": "true"}
        hubspot.unsubscribe("R3")
        ours = {"R1", "R2", "R3"}
        for subscription, objected in ((None, {"R3"}), ("77", {"R1", "R3"})):
            hubspot.known_fields.add("hs_email_optout_77")
            destination = replace(hubspot.destination(), subscription=subscription)
            assert {each.remote_id for each in destination.members("some", ours) if each.has_objected} == objected

    def test_a_kind_of_mail_that_hubspot_does_not_know_is_told(self, hubspot: HubSpotTool) -> None:
        """It would say nothing of it, and nobody would ever have opted out."""
        hubspot.destination().send(batch(*adds((1,))))
        with pytest.raises(AccessError, match="hs_email_optout_77"):
            list(replace(hubspot.destination(), subscription="77").members("some", {"R1"}))

    def test_a_deletion_is_of_the_contact(self, hubspot: HubSpotTool) -> None:
        """By its id, once it is seen to be nobody else: an address that HubSpot does not know would be blocked."""
        erased = batch(Change("erase", 1, None, {}, "R1"))
        for _ in range(2):
            assert hubspot.destination().send(erased) == Answer(204, said="deleted the contact")
        assert "R1" not in hubspot.contacts
        contacts, whose = "/crm/objects/2026-03/contacts", {"inputs": [{"id": "R1"}], "properties": ["email"]}
        asked = ("POST", f"{contacts}/batch/read", whose), ("POST", f"{contacts}/gdpr-delete", {"objectId": "R1"})
        assert hubspot.requests == [*asked, *asked]

    def test_who_is_rejected_at_another_address_leaves_by_the_former(self, hubspot: HubSpotTool) -> None:
        """The shop says that it is not theirs any more."""
        hubspot.destination().send(batch(*adds((1, 3))))
        hubspot.merged_away, hubspot.poison = {"R2"}, {3}
        changed = (
            Change("update", 1, address(2), {}, "R1", is_moved=True),
            Change("update", 3, address(3), {"spent": 1}, "R3"),
        )
        answer = hubspot.destination().send(batch(*changed))
        assert answer.rejected[1] == "HubSpot has no such contact" and answer.rejected.keys() == {1, 3}
        assert answer.left == {1} and hubspot.lists["some"] == {"R3"}

    def test_another_address_is_another_contact(self, hubspot: HubSpotTool) -> None:
        """Who takes the place of the former on the list."""
        hubspot.destination().send(batch(*adds((1,))))
        answer = hubspot.destination().send(batch(Change("update", 1, address(2), {}, "R1")))
        assert answer.remote_ids == {1: "R2"} and hubspot.lists["some"] == {"R2"}

    def test_who_cannot_be_found_any_more_is_told(self, hubspot: HubSpotTool) -> None:
        """Neither a name of theirs nor an address is known; with the address they are found."""
        hubspot.destination().send(batch(*adds((1, 2))))
        answer = hubspot.destination().send(batch(Change("remove", 1, None, {}), Change("remove", 2, address(2), {})))
        assert "look there by hand" in answer.rejected[1] and hubspot.held() == {1}

    def test_the_requests_are_those_of_its_documentation(self, hubspot: HubSpotTool) -> None:
        """A recorded exchange."""
        hubspot.destination().send(batch(*adds((1,), spent="12.50")))
        hubspot.destination().send(batch(Change("remove", 1, None, {}, "R1")))
        contacts, lists = "/crm/objects/2026-03/contacts/batch", "/crm/lists/2026-03"
        read = {"idProperty": "email", "inputs": [{"id": address(1)}], "properties": ["email"]}
        properties = {"archived": False, "inputs": [{"name": "spent"}]}
        update = {"inputs": [{"id": "R1", "properties": {"spent": "12.50"}, "objectWriteTraceId": "1"}]}
        change = f"{lists}/9-some/memberships/add-and-remove"
        assert hubspot.requests == [
            ("GET", f"{lists}/object-type-id/0-1/name/some", None),
            ("POST", f"{contacts}/read", read),
            ("POST", "/crm/properties/2026-03/contacts/batch/read", properties),
            ("POST", f"{contacts}/update", update),
            ("PUT", change, {"recordIdsToAdd": ["R1"], "recordIdsToRemove": []}),
            ("GET", f"{lists}/object-type-id/0-1/name/some", None),
            ("PUT", change, {"recordIdsToAdd": [], "recordIdsToRemove": ["R1"]}),
        ]


@pytest.mark.parametrize("before", [0, 180, 390, 1_000_000])
def test_no_part_of_an_address_is_kept_wherever_a_reason_is_cut(before: int) -> None:
    """An answer is redacted as a whole, in no time."""
    body = b"x" * before + b" " + address(1).encode()
    begun = time.monotonic()
    assert CANARY not in reason_in(body) and len(reason_in(body)) <= 200
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "retry_after",
    ["\xb2", "soon", "Mon, 01 Jan 2024 00:00:00 +99999999999999", "Mon, 01 Jan 99999999999 00:00:00 GMT", "-1"],
)
def test_a_retry_after_that_says_nothing_is_no_fault_of_ours(retry_after: str) -> None:
    """It is then tried again as if there were none."""
    with pytest.raises(BusyError) as raised:
        refuse_errors("x", Reply(429, retry_after, b""), key="", elsewhere="")
    assert raised.value.wait is None


def test_a_retry_after_by_a_date_is_counted_from_the_answer() -> None:
    """By the server's own clock: this machine's may be hours off."""
    until, answered = "Mon, 01 Jan 2024 00:00:30 GMT", "Mon, 01 Jan 2024 00:00:00 GMT"
    with pytest.raises(BusyError) as raised:
        refuse_errors("x", Reply(429, until, b"", answered), key="", elsewhere="")
    assert raised.value.wait == 30


@pytest.mark.parametrize("name", NEEDS)
def test_a_destination_that_is_not_configured_says_what_to_set(name: str) -> None:
    """By the variables."""
    with pytest.raises(UsageError, match=NEEDS[name]):
        destination_named(Configuration(), name)


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [
        ("klaviyo", "klaviyo_key", "a key\r\nX-Other: 1"),
        ("hubspot", "hubspot_key", "ключ"),
        ("mailchimp", "mailchimp_key", "abc-us1.elsewhere.test/"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused(name: str, variable: str, value: str) -> None:
    """It would break a header, or name another host. It is not shown."""
    given: dict[str, Any] = {variable: value, "mailchimp_list": "list1"}
    configuration = Configuration(**given)
    with pytest.raises(UsageError, match=f"LGS_{variable.upper()}") as raised:
        destination_named(configuration, name)
    assert value not in str(raised.value)


@pytest.mark.parametrize("scheme", ["ssh", "ftp", "http", "webdav+http"])
def test_no_file_is_dropped_where_anybody_may_read_it(scheme: str) -> None:
    """Only in folders, buckets and by SFTP: other drivers do not encrypt."""
    with pytest.raises(UsageError, match=f"found {re.escape(scheme)}://. To carry"):
        destination_named(Configuration(drop=f"{scheme}://files.example.test/lists"), "drop")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("lists", "the full path of a folder, such as /srv/lists; found lists."),
        ("~/lists", "the full path of a folder, such as /srv/lists; found ~/lists."),
        ("file:lists", "the full path of a folder, such as /srv/lists; found lists."),
        ("sftp://shop@host.example.test", "sftp://USER@HOST/FOLDER; found sftp://shop@host.example.test."),
        ("sftp://host.example.test/", "sftp://USER@HOST/FOLDER; found sftp://host.example.test/."),
        ("sftp:///lists", "sftp://USER@HOST/FOLDER; found sftp:///lists."),
        ("sftp://host.example.test:port/lists", "sftp://USER@HOST/FOLDER; found sftp://host.example.test:port/lists."),
        ("sftp://host.example.test/a#b", "sftp://USER@HOST/FOLDER; found sftp://host.example.test/a#b."),
    ],
)
def test_a_place_that_is_no_folder_is_told(given: str, told: str) -> None:
    """With the setting, what was found, and what is expected."""
    with pytest.raises(UsageError) as raised:
        destination_named(Configuration(drop=given), "drop")
    assert str(raised.value) == f"LGS_DROP: expected {told}"


@pytest.mark.parametrize(
    "url",
    [
        *("https://[bad/x", "https://host.example.test:99999/x", "https://user:secret@host.example.test/x"),
        *("https://host.example.test/a b", "https://host.example.tést/x", "https://host.example.test:0/x"),
        *("http://host.example.test/x", "ftp://localhost/x", "https:///x"),
    ],
)
def test_a_webhook_that_cannot_be_one_is_refused(url: str) -> None:
    """Before anything is sent, and without stopping the others. It is not shown: it may be a secret."""
    configuration = Configuration(webhook_url=url, webhook_key="k" * 16, hubspot_key="h")
    with pytest.raises(UsageError, match="LGS_WEBHOOK_URL: expected an address") as raised:
        destination_named(configuration, "webhook")
    assert url not in str(raised.value)
    found, faults = configured_destinations(configuration)
    assert [each.name for each in found] == ["hubspot"] and faults.keys() == {"webhook"}


def test_a_configured_destination_is_made() -> None:
    """And Mailchimp's address is that of the data centre in its key."""
    configuration = Configuration(klaviyo_key="k", mailchimp_key="abc-us21", mailchimp_list="l", hubspot_key="h")
    for name in ("klaviyo", "mailchimp", "hubspot"):
        assert destination_named(configuration, name).name == name
    assert "abc" not in repr(destination_named(configuration, "mailchimp"))


ODD: list[Any] = [
    None,
    True,
    17,
    1.5,
    "x",
    "",
    [],
    [None],
    [[]],
    ["x"],
    {},
    {"a": 1},
    {"email": "x"},
    [{"context": [1]}],
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_answers_of_odd_types_are_no_answers(odd: Any) -> None:
    """Whatever the documentation says is there: they are told as such, and end no command with a traceback."""
    readings: list[Callable[[], object]] = [
        lambda: hubspot_module._reason({"errors": odd}, 1, "R1"),
        lambda: hubspot_module._reason({"errors": [{"context": odd}]}, 1, "R1"),
        lambda: hubspot_module._contacts({"results": odd}),
        lambda: hubspot_module._contacts({"results": [{"id": "1", "properties": odd}]}),
        lambda: klaviyo_module._has_objected({"attributes": {"subscriptions": odd}}, "L"),
        lambda: klaviyo_module._has_objected({"attributes": {"subscriptions": {"email": {"marketing": odd}}}}, "L"),
        lambda: klaviyo_module._of({"data": odd}, "id"),
    ]
    for reading in readings:
        with suppress(LgsError):
            reading()


@pytest.mark.parametrize("name", ["canary1@example.test", "", "a b", "é", "x" * 65, None, ["R1"], 1.5])
def test_what_a_tool_calls_somebody_is_no_address(name: Any) -> None:
    """It is kept outside lgs_private, so what could be an address is not taken."""
    with pytest.raises(BusyError, match="is not the JSON that was expected"):
        identifier("mailchimp", name)
    assert identifier("hubspot", 12345) == "12345" and identifier("mailchimp", "a1-b_2") == "a1-b_2"
