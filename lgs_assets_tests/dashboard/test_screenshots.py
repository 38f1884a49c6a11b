"""The pictures of the documentation: which pages are in them."""

import re
from urllib.parse import urlsplit

from lgs_assets.dashboard.app import PAGES
from lgs_assets_tests.dashboard import screenshots


def test_there_is_a_picture_of_every_page() -> None:
    """Of a page of many items, of one of them."""
    pictured = [urlsplit(path).path for path in screenshots.PAGES.values()]
    for page in PAGES:
        pattern = re.compile(page.path.replace("{item}", "[^/]+"))
        assert any(pattern.fullmatch(path) for path in pictured), page.path
