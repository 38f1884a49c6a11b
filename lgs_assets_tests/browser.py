"""Chromium as the operating system installs it, driven by its own chromedriver: nothing is downloaded."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # few tests open a browser
    from selenium import webdriver

FOREIGN_SITES = "*.example"
"""Names that lead to this machine, in this browser: other sites, as the browser sees it."""
_OPTIONS = [
    "--headless",
    "--no-sandbox",  # it refuses to work for root
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of it
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
    f"--host-resolver-rules=MAP {FOREIGN_SITES} 127.0.0.1",
]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[webdriver.Chrome]":
    """A browser without a window, which notes what goes over the network."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("NOT PROVEN IN A BROWSER: install the Debian packages chromium and chromium-driver")
    browser = chromium(tmp_path_factory.mktemp("browser"))
    try:
        yield browser
    finally:
        browser.quit()


def chromium(profile: Path) -> "webdriver.Chrome":
    """A browser without a window, whose state is in this folder."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in [*_OPTIONS, f"--user-data-dir={profile}"]:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
