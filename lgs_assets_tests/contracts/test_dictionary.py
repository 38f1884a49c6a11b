"""The data dictionary under docs/ is generated from the contracts."""

import re

from lgs_assets import places
from lgs_assets.contracts.declaration import declared_types
from lgs_assets.contracts.dictionary import data_dictionary


def test_the_page_is_current() -> None:
    """`make docs` was run after the last change of a contract."""
    assert (places.ROOT / "docs" / "data-dictionary.md").read_text() == data_dictionary()


def test_every_column_is_described() -> None:
    """A contract without a comment on a column fails here, not in front of an analyst."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*) \|$", data_dictionary(), re.MULTILINE)
    assert len(rows) == sum(map(len, declared_types().values()))
    assert all(description.endswith(".") for _, _, description in rows)
