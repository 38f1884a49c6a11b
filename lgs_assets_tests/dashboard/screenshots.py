"""Pictures of every page for the documentation, from synthetic lines: `make screenshots`. Needs Chromium."""

import base64
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from selenium import webdriver
from typer.testing import CliRunner

from lgs_assets.action.experiments.declaration import FOLDER
from lgs_assets.command.cli import app
from lgs_assets.command.reporting import REJECTED
from lgs_assets.command.runner import Runner
from lgs_assets.configuration import Configuration
from lgs_assets.dashboard.serve import tables_of
from lgs_assets.warehouse.database import Warehouse
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets.wiring.resources import Resources
from lgs_assets_tests.action.people import KEY
from lgs_assets_tests.browser import chromium
from lgs_assets_tests.conftest import leave_environment
from lgs_assets_tests.dashboard.conftest import Answer, serve
from lgs_assets_tests.dashboard.past import record_past, try_a_letter

PAGES: Final = {
    "overview": "/",
    "segments": "/segments",
    "segment": "/segments/champions",
    "movements": "/movements",
    "customers": "/customers?country=Germany",
    "customer": "/customers/{customer}",
    "invoice": "/invoices/{invoice}",
    "cohorts": "/cohorts",
    "products-countries": "/products-countries",
    "outlook": "/outlook",
    "campaigns": "/campaigns",
    "audience": "/campaigns/win_back_letters",
    "experiments": "/experiments",
    "experiment": "/experiments/autumn_letter",
    "data": "/data",
    "table": "/data/rfm_history",
    "report": "/report/champions",
    "shop-report": "/report",
}
WIDTH, PHONE = 1280, 390
_COLOURS = 96  # few enough that a score of pictures is no burden on a checkout


def main(folder: Path) -> None:
    """Builds a warehouse of the synthetic shop, serves its pages, and photographs each of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        leave_environment(patch, Path(home))
        configuration = Configuration.read()
        try:
            with dagster_instance(configuration) as instance:
                Runner(configuration, instance).bring_up_to_date()
            begin_campaigns(Resources.of(configuration).warehouse, Path(home), patch)
            tables = tables_of(configuration)
            for site in serve(tables):
                customer = first(r'href="/customers/(\d+)', site.get("/customers?sort=frequency"))
                invoice = first(r'href="/invoices/(\w+)', site.get(f"/customers/{customer}"))
                browser = chromium(Path(home) / "browser")
                for name, path in PAGES.items():
                    url = site.url + path.format(customer=customer, invoice=invoice)
                    photograph(browser, url, folder / f"{name}.png")
                photograph(browser, site.url, folder / "phone.png", width=PHONE)
                browser.quit()
            tables.engine.dispose()
        finally:
            EmbeddedServer(configuration.state / "postgres").stop()


def first(pattern: str, answer: Answer) -> str:
    """The first that a page links to."""
    return str(re.findall(pattern, answer.text)[0])


def begin_campaigns(warehouse: Warehouse, home: Path, patch: pytest.MonkeyPatch) -> None:
    """Invents contacts, sends two lists to a folder, plans a third, and starts an experiment; another has ended."""
    patch.setenv("LGS_CONTACT_KEY", KEY)
    patch.setenv("LGS_DROP", str(home / "drop"))
    contacts = str(home / "contacts.csv")
    start = ("experiment", "start", str(FOLDER / "win_back_call.toml"), "--from", "2011-12-10")
    for command in (
        ("demo-contacts", contacts),
        ("contacts", "import", contacts),
        (*start, "--underpowered", "the team wants to learn how it is done"),
        ("activate", "plan", "win_back_letters", "drop"),
        ("activate", "apply", "1"),
        ("activate", "plan", "lapsed_regulars", "drop"),
        ("activate", "apply", "2"),
        ("activate", "plan", "first_to_see", "drop"),
        ("contacts", "object", "20346"),
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code in (0, REJECTED), done.output
    record_past(warehouse)
    regulars = ["Can't Lose", "At Risk", "Need Attention", "About to Sleep"]
    try_a_letter(warehouse, "autumn_letter", days=60, back=4, segments=regulars, audience="call_list", whom="regulars")
    warehouse.engine.dispose()


def photograph(browser: webdriver.Chrome, url: str, file: Path, *, width: int = WIDTH) -> None:
    """A page, down to its foot, as a PNG file."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(url)
    height = browser.execute_script("return document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    with Image.open(io.BytesIO(base64.b64decode(shot["data"]))) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(file, optimize=True)


if __name__ == "__main__":
    os.umask(0o022)
    main(Path(sys.argv[1]))
