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

from lgs_assets.command.runner import Runner
from lgs_assets.configuration import Configuration
from lgs_assets.dashboard.serve import tables_of
from lgs_assets.warehouse.server import EmbeddedServer
from lgs_assets.wiring.instance import dagster_instance
from lgs_assets_tests.browser import chromium
from lgs_assets_tests.conftest import leave_environment
from lgs_assets_tests.dashboard.conftest import serve

PAGES: Final = {
    "overview": "/",
    "segments": "/segments",
    "segment": "/segments/champions",
    "movements": "/movements",
    "customers": "/customers?country=Germany",
    "customer": "/customers/{customer}",
    "cohorts": "/cohorts",
    "products-countries": "/products-countries",
    "outlook": "/outlook",
    "data": "/data",
    "report": "/report/champions",
}
WIDTH, TALLEST, PHONE = 1280, 1600, 390
_COLOURS = 96  # few enough that a dozen pictures are no burden on a checkout


def main(folder: Path) -> None:
    """Builds a warehouse of the synthetic shop, serves its pages, and photographs each of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        leave_environment(patch, Path(home))
        configuration = Configuration.read()
        try:
            with dagster_instance(configuration) as instance:
                Runner(configuration, instance).bring_up_to_date()
            tables = tables_of(configuration)
            for site in serve(tables):
                customer = re.search(r'href="/customers/(\d+)', site.get("/customers?sort=frequency").text)
                browser = chromium(Path(home) / "browser")
                for name, path in PAGES.items():
                    photograph(
                        browser,
                        site.url + path.format(customer=customer[1] if customer else ""),
                        folder / f"{name}.png",
                    )
                photograph(browser, site.url, folder / "phone.png", width=PHONE)
                browser.quit()
            tables.engine.dispose()
        finally:
            EmbeddedServer(configuration.state / "postgres").stop()


def photograph(browser: webdriver.Chrome, url: str, file: Path, *, width: int = WIDTH) -> None:
    """The upper part of a page as a PNG file."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(url)
    height = min(browser.execute_script("return document.documentElement.scrollHeight"), TALLEST)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    with Image.open(io.BytesIO(base64.b64decode(shot["data"]))) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(file, optimize=True)


if __name__ == "__main__":
    os.umask(0o022)
    main(Path(sys.argv[1]))
