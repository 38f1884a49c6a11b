"""The types of columns, in each of their forms."""

import subprocess
import sys

import pytest

from lgs_assets.contracts import types
from lgs_assets.contracts.contract import Column
from lgs_assets.contracts.types import declared_type, type_of

JUDGE_A_RULE = """
import sys
import lgs_assets.dashboard.serve
from lgs_assets.action.rules import judge
judge("recency_days > 90 and segment = 'Champions'")
sys.exit(", ".join(sorted({"numpy", "pandas", "pyarrow"} & sys.modules.keys())) or None)
"""


@pytest.mark.parametrize("spelling", types._NAMES)
def test_a_type_that_a_contract_may_declare_has_every_form(spelling: str) -> None:
    """One that were not listed would be handled as text."""
    name = declared_type(spelling)
    assert type_of(Column(name="a", type=name, nullable=False, description="")).name == name


def test_pages_judge_rules_without_what_frames_need() -> None:
    """It would take as much memory as all the rest of the dashboard."""
    subprocess.run([sys.executable, "-c", JUDGE_A_RULE], check=True)
