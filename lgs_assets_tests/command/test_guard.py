"""The guard in front of the Dagster UI: other sites cannot act through the browser of a person who runs `lgs ui`.

Each attack is first shown to succeed on Dagster's own webserver, then to fail on ours; the two share one instance.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from lgs_assets import places
from lgs_assets.command.guard import origin_of
from lgs_assets.errors import LgsError
from lgs_assets_tests.builders import MakeDatabase
from lgs_assets_tests.test_deployment import free_port

PATIENCE_SECONDS = 600  # the machine may be busy
MUTATION = """mutation { addDynamicPartition(partitionsDefName: "dumps", partitionKey: "%s", repositorySelector:
    {repositoryLocationName: "lgs_assets", repositoryName: "__repository__"}) { __typename } }"""
JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Webserver:
    """A webserver of Dagster, guarded or not."""

    port: int
    output: Path
    """What it prints."""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def answer(
        self, method: str, path: str, *headers: tuple[str, str], body: str | None = None, host: str | None = None
    ) -> http.client.HTTPResponse:
        """The answer to just these headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        given = [("Host", host if host is not None else f"localhost:{self.port}")] if host != "" else []
        length = [("Content-Length", str(len(body.encode())))] if body is not None else []
        for name, value in [*given, *length, *headers]:
            connection.putheader(name, value)
        connection.endheaders(body.encode() if body else None)
        return connection.getresponse()

    def graphql(self, query: str) -> dict[str, Any]:
        answer = self.answer("POST", "/graphql", JSON, body=json.dumps({"query": query}))
        result: dict[str, Any] = json.load(answer)["data"]
        return result

    def partitions(self) -> set[str]:
        query = '{ assetNodeOrError(assetKey: {path: ["raw_invoices"]}) { ... on AssetNode { partitionKeys } } }'
        return set(self.graphql(query)["assetNodeOrError"]["partitionKeys"])

    def is_up(self) -> bool:
        with suppress(OSError):
            return self.answer("GET", "/server_info").status == 200
        return False


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory, make_database: MakeDatabase) -> dict[str, str]:
    """The environment of both webservers: one state folder, one warehouse."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LGS_", "DAGSTER_"))}
    home = tmp_path_factory.mktemp("home")
    (home / "dagster.yaml").write_text("telemetry: { enabled: false }\nnux: { enabled: false }\n")
    places = {"LGS_HOME": str(home), "DAGSTER_HOME": str(home), "LGS_DATABASE_URL": make_database()}
    browser = home / "browser"  # one that notes where it is sent
    browser.write_text(f'#!/bin/sh\necho "$1" >> {home}/visited\n')
    browser.chmod(0o700)
    places["BROWSER"] = f"{browser} %s"
    return kept | places | {"LGS_UI_ORIGINS": "https://dagster.example.com"}


@pytest.fixture(scope="module")
def webservers(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Webserver]]:
    """The webserver of `lgs ui`, with its daemon; and Dagster's own, which shows that the attacks are real ones.

    Dagster's own starts once the other is up: two that create Dagster's tables at once collide, and `lgs` alone takes
    a lock.
    """
    folder, programs, servers = tmp_path_factory.mktemp("logs"), Path(sys.executable).parent, []
    with ExitStack() as cleanup:
        for command in (["lgs", "ui", "--open"], ["dagster-webserver", "-w", "workspace.yaml"]):
            port, log = free_port(), cleanup.enter_context((folder / command[0]).open("wb"))
            process = subprocess.Popen(
                [programs / command[0], *command[1:], "--port", str(port)],
                env=surroundings,
                cwd=places.ROOT,
                stdout=log,
                stderr=log,
            )
            cleanup.callback(process.wait, PATIENCE_SECONDS)
            cleanup.callback(process.terminate)
            servers.append(server := Webserver(port, folder / command[0]))
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not server.is_up():
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(server.output.read_text(errors="replace"))
                time.sleep(0.2)
        yield servers


@pytest.fixture(scope="module")
def guarded(webservers: list[Webserver]) -> Webserver:
    return webservers[0]


@pytest.fixture(scope="module")
def unguarded(webservers: list[Webserver]) -> Webserver:
    return webservers[1]


def test_the_terminal_shows_the_address_once_and_the_browser_opens_it(
    guarded: Webserver, surroundings: dict[str, str]
) -> None:
    """Nothing else is printed: what the daemon, the code location and their runs have to say is in a file."""
    address = f"http://127.0.0.1:{guarded.port}"
    assert guarded.output.read_text() == f"The Dagster UI: {address}\nCtrl-C ends it.\n"
    assert Path(surroundings["LGS_HOME"], "visited").read_text() == f"{address}\n"
    assert Path(surroundings["LGS_HOME"], "ui.log").stat().st_mode & 0o077 == 0


QUERY = json.dumps({"query": "{ __typename }"})
GET_QUERY = "/graphql?query=%7B__typename%7D"
REPORT = "/report_asset_materialization/segments"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", GET_QUERY, []),
        ("HEAD", GET_QUERY, []),
        ("GET", "/%67raphql?query=%7B__typename%7D", []),
        ("GET", GET_QUERY, [JSON, ("X-HTTP-Method-Override", "POST")]),
        ("GET", GET_QUERY, [("Accept", "text/html"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]),
        ("GET", "/", [("Origin", "http://elsewhere.example")]),
        ("GET", "/server_info", [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")]),
        ("GET", "/", [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]),
        ("POST", "/graphql", []),
        ("POST", GET_QUERY, []),
        ("POST", GET_QUERY, [("Content-Type", "application/x-www-form-urlencoded")]),
        ("POST", "/graphql", [("Content-Type", "text/plain")]),
        ("POST", "/graphql", [("Content-Type", "text/plain; application/json")]),
        ("POST", "/graphql", [("Content-Type", "text/plain, application/json")]),
        ("POST", "/graphql", [("Content-Type", "application/json, text/plain")]),
        ("POST", "/graphql", [("Content-Type", "application/jsonp")]),
        ("POST", GET_QUERY, [("Content-Type", "Application/JSON")]),  # to Dagster, that is not JSON
        ("POST", "/graphql", [("Content-Type", "application/graphql")]),
        ("POST", "/graphql", [JSON, ("Content-Type", "text/plain")]),
        ("POST", "/graphql", [JSON, ("Origin", "null")]),
        ("POST", "/graphql", [JSON, ("Origin", "")]),
        ("POST", "/graphql", [JSON, ("Origin", "http://localhost")]),
        ("POST", "/graphql", [JSON, ("Origin", "http://localhost:{port}.elsewhere.example")]),
        ("POST", "/graphql", [JSON, ("Origin", "https://localhost:{port}")]),
        ("POST", "/graphql", [JSON, ("Origin", "http://127.0.0.1:{port}")]),  # its own, but not of this Host
        ("POST", "/graphql", [JSON, ("Origin", "https://dagster.example.com")]),
        ("POST", "/graphql", [JSON, ("origin", "http://localhost:{port}"), ("ORIGIN", "http://elsewhere.example")]),
        ("POST", "/graphql", [JSON, ("Sec-Fetch-Site", "cross-site")]),
        ("POST", "/graphql", [JSON, ("Sec-Fetch-Site", "same-site")]),
        (
            "POST",
            "/graphql",
            [JSON, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")],
        ),
        ("POST", REPORT, []),
        ("POST", REPORT, [("Content-Type", "text/plain")]),
        ("POST", REPORT, [JSON, ("Origin", "http://elsewhere.example")]),
        ("PUT", "/graphql", [JSON]),
        ("DELETE", "/graphql", [JSON]),
        ("OPTIONS", "/graphql", [("Origin", "http://localhost:{port}"), ("Access-Control-Request-Method", "POST")]),
    ],
)
def test_requests_of_other_sites_are_refused(
    guarded: Webserver, method: str, path: str, headers: list[tuple[str, str]]
) -> None:
    """Whatever a page can make a browser send, in any disguise, ends with 403 before Dagster sees it."""
    body = None if method in ("GET", "HEAD", "OPTIONS") else QUERY
    given = [(name, value.replace("{port}", str(guarded.port))) for name, value in headers]
    answer = guarded.answer(method, path, *given, body=body)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "host",
    [
        "",
        "elsewhere.example",
        "elsewhere.example:{port}",
        "localhost",
        "127.0.0.1:1",
        "localhost:{port}.elsewhere.example",
        "localhost.:{port}",
        "0.0.0.0:{port}",
        "dagster.example.com:{port}",
    ],
)
def test_other_names_of_this_machine_are_refused(guarded: Webserver, host: str) -> None:
    """A site whose name is made to lead to this machine (DNS rebinding) reads and changes nothing."""
    name = host.replace("{port}", str(guarded.port))
    for method, body in (("GET", None), ("POST", QUERY)):
        for path in ("/graphql", "/server_info", "/"):
            answer = guarded.answer(method, path, JSON, body=body, host=name)
            assert answer.status in (400, 403)  # 400 where the server itself takes it for no HTTP
    assert guarded.answer("GET", "/", ("Host", name or "elsewhere.example")).status in (400, 403)  # a second Host


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("localhost:{port}", [JSON]),
        ("127.0.0.1:{port}", [("content-type", "application/json; charset=utf-8")]),
        ("LOCALHOST:{port}", [JSON, ("Origin", "http://localhost:{port}"), ("Sec-Fetch-Site", "same-origin")]),
        ("[::1]:{port}", [JSON, ("Origin", "http://[::1]:{port}")]),
        ("dagster.example.com", [JSON, ("Origin", "https://dagster.example.com")]),
    ],
)
def test_own_requests_are_answered(guarded: Webserver, host: str, headers: list[tuple[str, str]]) -> None:
    """Its own pages, programs that are not browsers, and the public name in LGS_UI_ORIGINS."""
    given = [(name, value.replace("{port}", str(guarded.port))) for name, value in headers]
    answer = guarded.answer("POST", "/graphql", *given, body=QUERY, host=host.replace("{port}", str(guarded.port)))
    assert (answer.status, answer.read()) == (200, b'{"data":{"__typename":"Query"}}')


def test_a_link_from_elsewhere_opens_a_page_that_cannot_be_framed(guarded: Webserver) -> None:
    """People follow links to a run; no site shows it inside a page of its own, or reads it."""
    visit = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
    answer = guarded.answer("GET", "/runs", *visit)
    assert answer.status == 200
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in ", ".join(answer.headers.get_all("Content-Security-Policy", []))
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost", None),
        ("localhost", "http://elsewhere.example"),
        ("localhost", "null"),
        ("localhost", "http://localhost"),
        ("elsewhere.example", "http://elsewhere.example:{port}"),
    ],
)
def test_a_websocket_needs_an_origin_of_its_own(guarded: Webserver, host: str, origin: str | None) -> None:
    """The handshake itself is refused; with the page's own origin it is not."""

    def open_as(host: str, origin: str | None) -> None:
        own = Origin(origin.replace("{port}", str(guarded.port))) if origin else None
        uri = f"ws://{host}:{guarded.port}/graphql"
        connection = socket.create_connection(("127.0.0.1", guarded.port))
        with connect(uri, sock=connection, origin=own, subprotocols=[Subprotocol("graphql-ws")]) as websocket:
            websocket.send('{"type": "connection_init"}')
            assert json.loads(websocket.recv(PATIENCE_SECONDS)) == {"type": "connection_ack"}

    with pytest.raises(InvalidStatus, match="403"):
        open_as(host, origin)
    open_as("localhost", "http://localhost:{port}")


@pytest.mark.parametrize("text", ["a.example.com", "ftp://a.example", "http://a.example/ui", "http://a:x", "null"])
def test_an_origin_that_is_none_is_refused(text: str) -> None:
    """A mistake in LGS_UI_ORIGINS is said at once."""
    with pytest.raises(LgsError, match="expected an origin such as"):
        origin_of(text)


@pytest.mark.parametrize(("options", "reason"), [
    ({}, "cannot listen there: Address already in use"),
    ({"LGS_UI_ORIGINS": "dagster.example.com"}, "LGS_UI_ORIGINS: expected an origin such as"),
])  # fmt: skip
def test_what_cannot_be_served_ends_at_once(
    guarded: Webserver, surroundings: dict[str, str], options: dict[str, str], reason: str
) -> None:
    """A taken port and a wrong setting end the command with the reason, and no daemon runs on without a page."""
    lgs = Path(sys.executable).with_name("lgs")
    done = subprocess.run(
        [lgs, "ui", "--port", str(guarded.port)],
        env=surroundings | options,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


ATTACK = """<!doctype html><title>attacking</title><iframe id="frame"></iframe>
<form method="post" enctype="text/plain" target="sink"><input name="field"></form><iframe name="sink"></iframe>
<script>
const [target, prefix] = location.hash.slice(1).split("|"), url = target + "/graphql", outcome = {};
const mutation = name => MUTATION.replace("%s", prefix + name);
const get = name => url + "?query=" + encodeURIComponent(mutation(name));
const quietly = attempt => attempt.catch(() => null);
const image = new Promise(done => {
    const img = new Image();
    img.onload = img.onerror = done;
    img.src = get("image");
});
const post = (name, type, mode) => quietly(fetch(url, {method: "POST", mode, headers: {"Content-Type": type},
    body: JSON.stringify({query: mutation(name)})}));
const blob = quietly(fetch(url, {method: "POST", mode: "no-cors",
    body: new Blob([JSON.stringify({query: mutation("blob")})], {type: "text/plain; application/json"})}));
const beacon = navigator.sendBeacon(get("beacon"));
const form = document.forms[0];
form.action = get("form");
form.submit();
const socket = new Promise(done => {
    const ws = new WebSocket(url.replace("http", "ws"), "graphql-ws");
    ws.onopen = () => ws.send('{"type": "connection_init"}');
    ws.onmessage = () => done(true);
    ws.onerror = ws.onclose = () => done(false);
});
const read = quietly(fetch(target + "/server_info").then(answer => answer.text()));
const attempts = [quietly(fetch(get("get"), {mode: "no-cors"})), image, blob, post("plain", "text/plain", "no-cors"),
    post("json", "application/json", "cors"), new Promise(done => setTimeout(done, 1500))];
Promise.all([socket, read, ...attempts]).then(([socket, read]) => {
    outcome.socket = socket; outcome.read = read; document.title = JSON.stringify(outcome); });
</script>""".replace("MUTATION", json.dumps(MUTATION))


@pytest.fixture(scope="module")
def other_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server whose page attacks what the fragment of its address names."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "attack.html").write_text(ATTACK)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def attack(browser: webdriver.Chrome, page: str, target: str, prefix: str) -> dict[str, Any]:
    """Opens the page, lets it try everything, and returns what it has read."""
    browser.get("about:blank")
    browser.get(f"{page}#{target}|{prefix}")
    WebDriverWait(browser, PATIENCE_SECONDS).until(lambda driver: driver.title.startswith("{"))
    outcome: dict[str, Any] = json.loads(browser.title)
    return outcome


@pytest.mark.parametrize("site", ["elsewhere.example", "localhost"])
def test_a_page_of_another_site_cannot_act(
    browser: webdriver.Chrome, other_site: int, unguarded: Webserver, guarded: Webserver, site: str
) -> None:
    """In a real browser: what succeeds on Dagster's own webserver does nothing on ours, from afar or another port."""
    page = f"http://{site}:{other_site}/attack.html"
    ways = {"get", "image", "blob", "beacon", "form"}
    assert attack(browser, page, unguarded.url, f"{site}-0-")["socket"]
    assert {f"{site}-0-{way}" for way in ways} <= guarded.partitions()  # so they are real
    assert attack(browser, page, guarded.url, f"{site}-1-") == {"socket": False, "read": None}
    assert [name for name in guarded.partitions() if name.startswith(f"{site}-1-")] == []


def test_a_name_that_comes_to_lead_here_opens_nothing(
    browser: webdriver.Chrome, unguarded: Webserver, guarded: Webserver
) -> None:
    """DNS rebinding: to the browser, a page of that name and our server are one site; our server knows better."""
    script = """const [query, done] = arguments;
        fetch("/graphql", {method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({query})}).then(answer => done(answer.status), () => done(0));"""
    for server, name, status in ((unguarded, "rebound-0", 200), (guarded, "rebound-1", 403)):
        browser.get(f"http://rebound.example:{server.port}/server_info")
        assert browser.execute_async_script(script, MUTATION % name) == status
    assert [name for name in guarded.partitions() if name.startswith("rebound")] == ["rebound-0"]


def test_the_ui_works_behind_the_guard(browser: webdriver.Chrome, guarded: Webserver) -> None:
    """A person starts a run in the browser and watches it to its end, by a live subscription over a WebSocket."""
    browser.get_log("browser")  # the attacks of other tests are in it
    browser.get(f"{guarded.url}/locations/lgs_assets/jobs/retention/playground")
    wait = WebDriverWait(browser, PATIENCE_SECONDS)
    launch = "//button[contains(., 'Launch Run')]"
    wait.until(lambda driver: driver.find_element(By.XPATH, launch).is_enabled())
    browser.get_log("performance")  # what was before is of no interest
    browser.find_element(By.XPATH, launch).click()
    wait.until(lambda driver: "/runs/" in driver.current_url)
    frames: list[str] = []

    def has_ended(driver: webdriver.Chrome) -> bool:
        events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
        frames.extend(e["params"]["response"]["payloadData"] for e in events if e["method"].endswith("FrameReceived"))
        return any("RunSuccessEvent" in frame for frame in frames)

    wait.until(has_ended)
    wait.until(lambda driver: "Success" in driver.find_element(By.TAG_NAME, "body").text)
    refused = [entry for entry in browser.get_log("browser") if "403" in entry["message"]]
    assert refused == []
