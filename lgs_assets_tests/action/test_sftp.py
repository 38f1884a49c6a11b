"""Lists dropped at an SFTP server: only at one whose key is known, whole or not at all, and resumed after a fault."""

import re
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from lgs_assets.action.destinations import sftp
from lgs_assets.action.destinations.configured import destination_named
from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.destinations.protocol import AccessError
from lgs_assets.action.lists.applying import Outcome
from lgs_assets.configuration import Configuration
from lgs_assets.errors import UnavailableError
from lgs_assets.warehouse.database import Warehouse
from lgs_assets_tests.action.lists import apply, held, plan, receipts, set_members, sync
from lgs_assets_tests.action.people import CANARY, address
from lgs_assets_tests.action.ssh_server import SshServer, ssh_serving


@pytest.fixture
def known_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "known_hosts"
    file.touch()
    monkeypatch.setattr(sftp, "KNOWN_HOSTS", (file, tmp_path / "missing"))
    return file


@pytest.fixture
def ssh(tmp_path: Path, known_hosts: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """A server that is known, and the key of an account there."""
    with ssh_serving(SshServer(tmp_path / "served")) as ssh:
        ssh.known_as(known_hosts)
        (tmp_path / ".ssh").mkdir()
        ssh.account_key.write_private_key_file(str(tmp_path / ".ssh" / "id_ecdsa"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        yield ssh


def drop(ssh: SshServer) -> Drop:
    configured = destination_named(Configuration(drop=ssh.location), "drop")
    assert isinstance(configured, Drop)
    return configured


def test_a_list_is_dropped_at_a_known_server(people: Warehouse, ssh: SshServer) -> None:
    """No file is seen under its name before it is complete, and each marker comes after its file."""
    set_members(people, {1, 2})
    made = plan(people, drop(ssh))
    assert made and apply(people, made.plan, drop(ssh)) == Outcome(2, {}, {})
    folder = ssh.folder / "lists"
    names = [f"some-plan-{made.plan}-list.csv", f"some-plan-{made.plan}.csv"]
    assert {path.name for path in folder.iterdir()} == {*names, *(f"{name}.done" for name in names)}
    assert address(1) in (folder / names[0]).read_text()
    assert ssh.seen == [{f".{names[0]}.part"}, {names[0], f"{names[0]}.done", f".{names[1]}.part"}]
    assert held(people) == {1, 2} and plan(people, drop(ssh)) is None


@pytest.mark.parametrize("is_other", [False, True], ids=["unknown", "changed"])
def test_a_server_whose_key_is_not_known_is_sent_nothing(
    people: Warehouse, ssh: SshServer, known_hosts: Path, is_other: bool
) -> None:
    """Not even a login, and no attempt more: one line says what it shows."""
    if is_other:
        SshServer(ssh.folder, port=ssh.port).known_as(known_hosts)
    else:
        known_hosts.write_text("")
    set_members(people, {1, 2})
    made = plan(people, drop(ssh))
    assert made
    waits: list[float] = []
    with pytest.raises(AccessError) as refused:
        apply(people, made.plan, drop(ssh), waits=waits)
    said = str(refused.value)
    assert said.startswith(f"drop: [127.0.0.1]:{ssh.port} shows the key ecdsa-sha2-nistp256 {ssh.host_key.fingerprint}")
    assert ("somebody may pose as it" if is_other else "is not in known_hosts") in said and "\n" not in said
    assert (ssh.logins, ssh.seen, waits) == (0, [], [])
    ssh.known_as(known_hosts)
    assert apply(people, made.plan, drop(ssh)) == Outcome(2, {}, {})


def test_of_several_keys_the_one_that_is_known_is_asked_for(
    people: Warehouse, ssh: SshServer, known_hosts: Path
) -> None:
    """As ssh does: else the driver would be shown one of the kind that it likes best."""
    ssh.other_host_keys = [ssh.host_key]
    ssh.host_key = paramiko.RSAKey.generate(2048)
    ssh.known_as(known_hosts)
    set_members(people, {1, 2})
    assert sync(people, drop(ssh)) == Outcome(2, {}, {})


DAMAGED = [
    "127.0.0.1 ssh-ed25519 not-base64!",
    "|1|bad|salt ecdsa-sha2-nistp256 AAAA",
    "two words",
    "@cert-authority *.example.test ssh-ed25519 AAAA",
    "\udcff",
]


def test_a_damaged_line_of_known_hosts_spoils_no_other(people: Warehouse, ssh: SshServer, known_hosts: Path) -> None:
    """It is told if the server is not found in the others, for it may be that one."""
    damaged = "".join(f"{line}\n" for line in DAMAGED)
    known_hosts.write_text(damaged, errors="surrogateescape")
    set_members(people, {1, 2})
    made = plan(people, drop(ssh))
    assert made
    with pytest.raises(AccessError, match=r"is not in known_hosts .* cannot be read") as refused:
        apply(people, made.plan, drop(ssh))
    assert re.findall(r"line (\d)", str(refused.value)) == ["1", "2", "3", "5"]
    known_hosts.write_text(damaged + ssh.known_line, errors="surrogateescape")
    assert apply(people, made.plan, drop(ssh)) == Outcome(2, {}, {})


def test_servers_are_known_by_hashed_names_and_several_keys(
    people: Warehouse, ssh: SshServer, known_hosts: Path
) -> None:
    """As ssh writes them; a key that is replaced may stand beside the next."""
    former = SshServer(ssh.folder, port=ssh.port)
    host, _, key = ssh.known_line.partition(" ")
    known_hosts.write_text(f"{former.known_line}{paramiko.HostKeys.hash_host(host)} {key}")
    set_members(people, {1, 2})
    assert sync(people, drop(ssh)) == Outcome(2, {}, {})


def test_a_revocation_that_cannot_be_read_stops_all(people: Warehouse, ssh: SshServer, known_hosts: Path) -> None:
    """It may be of the very key that the server shows."""
    known_hosts.write_text(f"{ssh.known_line}@revoked * ssh-ed25519 not-base64!\n")
    set_members(people, {1, 2})
    made = plan(people, drop(ssh))
    assert made
    with pytest.raises(AccessError, match=r"line 2 of .* revokes a key and cannot be read"):
        apply(people, made.plan, drop(ssh))
    assert (ssh.logins, ssh.seen) == (0, [])


@pytest.mark.parametrize("host", ["*", "elsewhere.example.test"])
def test_a_revoked_key_is_refused_though_it_is_known(
    people: Warehouse, ssh: SshServer, known_hosts: Path, host: str
) -> None:
    """Whichever host the mark names: somebody may have stolen it."""
    _, _, key = ssh.known_line.partition(" ")
    known_hosts.write_text(f"{ssh.known_line}@revoked {host} {key}")
    set_members(people, {1, 2})
    made = plan(people, drop(ssh))
    assert made
    waits: list[float] = []
    with pytest.raises(AccessError, match="marks as @revoked"):
        apply(people, made.plan, drop(ssh), waits=waits)
    assert (ssh.logins, ssh.seen, waits) == (0, [], [])


def test_an_account_without_a_key_is_told(people: Warehouse, ssh: SshServer, tmp_path: Path) -> None:
    """The server is there: to try again would not help."""
    (tmp_path / ".ssh" / "id_ecdsa").unlink()
    set_members(people, {1})
    made = plan(people, drop(ssh))
    assert made
    waits: list[float] = []
    with pytest.raises(AccessError, match=r"there is no key to log in to 127\.0\.0\.1 with"):
        apply(people, made.plan, drop(ssh), waits=waits)
    assert waits == []


def test_a_login_that_is_refused_ends_it(people: Warehouse, ssh: SshServer) -> None:
    """It is not tried again."""
    ssh.account_key = paramiko.ECDSAKey.generate()
    set_members(people, {1})
    made = plan(people, drop(ssh))
    assert made
    waits: list[float] = []
    with pytest.raises(AccessError, match=r"drop: 127\.0\.0\.1 does not let us in"):
        apply(people, made.plan, drop(ssh), waits=waits)
    assert waits == [] and ssh.seen == []


@pytest.mark.parametrize("writes", [0, 1])
def test_a_lost_connection_is_made_again(people: Warehouse, ssh: SshServer, writes: int) -> None:
    """In the first file or the second: then all is written again, to the same bytes."""
    set_members(people, {1, 2})
    made = plan(people, drop(ssh))
    assert made
    ssh.loses_after = writes
    waits: list[float] = []
    assert apply(people, made.plan, drop(ssh), waits=waits) == Outcome(2, {}, {})
    assert len(waits) == 1 and ssh.logins == 2
    assert len(list((ssh.folder / "lists").iterdir())) == 4
    assert all(CANARY not in outcome for _, outcome in receipts(people))


def test_a_folder_that_is_not_there_is_told(people: Warehouse, ssh: SshServer) -> None:
    """It is not made: its name may be mistyped."""
    set_members(people, {1})
    made = plan(people, elsewhere := Drop(ssh.location.replace("/lists", "/elsewhere")))
    assert made
    with pytest.raises(UnavailableError, match=r"elsewhere: out of reach: No such file"):
        apply(people, made.plan, elsewhere)
