"""Text of others where it is shown: nothing in it commands a terminal, a spreadsheet or a page."""

import re
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lgs_assets.errors import DumpError
from lgs_assets.escaping import csv_cell, markdown, printable
from lgs_assets.wiring.failures import StepFailure
from lgs_assets.wiring.metadata import described, markdown_table


@given(st.text())
def test_a_terminal_obeys_nothing(text: str) -> None:
    """No control character, no mark that turns the direction of text, whatever the text; letters stay as they are."""
    shown = printable(text)
    assert all(character.isprintable() or character.isspace() for character in shown)
    assert not {"\x1b", "\x9b", "\r", "\n", "\x08", "\u202e"} & set(shown)
    if text.isprintable():
        assert shown == text


def test_what_is_hidden_is_told() -> None:
    """The reader sees that something is there, and what; blanks of any kind are blanks."""
    assert printable("a\x1b]0;title\x07b\u202ec\udce9 £\xa0鳥") == "a\\x1b]0;title\\x07b\\u202ec\\udce9 £\xa0鳥"
    assert printable("a\tb\nc", keep="\n") == "a\\tb\nc"


def test_what_dagster_keeps_of_an_error_commands_nothing() -> None:
    """Names of tables and files in it come from outside."""
    assert StepFailure(DumpError("no data in x\x1b[2Jy\n")).description == "no data in x\\x1b[2Jy\n"
    warnings: list[str] = []

    def fail() -> dict[str, Any]:
        raise ValueError("x\x1b[2Jy")

    facts = described("segments", fail, warnings.append)
    assert list(facts.values()) == warnings
    assert warnings[0].endswith("x\\x1b[2Jy")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "\n@", "＝", "\r+", "\xa0="])
def test_no_cell_begins_a_formula(start: str) -> None:
    """Spreadsheets compute what begins so; an apostrophe makes it text."""
    assert csv_cell(f"{start}cmd|' /C calc'!A0").startswith(("'", "\\r"))
    assert csv_cell("85123A") == "85123A"


@pytest.mark.parametrize(
    "text",
    [
        "![](http://tracker.example/x.png)",
        "[click](javascript:alert(1))",
        "<img src=http://tracker.example onerror=alert(1)>",
        "http://tracker.example",
        "www.tracker.example",
        "a|b",
        "`code`",
        "a\nb",
        "\\![](http://tracker.example)",
        "&lt;script&gt;",
    ],
)
def test_markdown_shows_just_the_text(text: str) -> None:
    """Judged by a parser of Markdown: one cell, with no element but the text, which is what it was."""
    parser = MarkdownIt("commonmark").enable("table")
    heading, cell = (token for token in parser.parse(f"| a |\n| --- |\n| {markdown(text)} |") if token.type == "inline")
    children = cell.children or []
    assert heading.content == "a"
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == " ".join(text.splitlines())
    assert not re.search(r"\w://|www\.", markdown(text))  # what GitHub's extension takes for a link


def test_a_preview_is_escaped_in_every_cell() -> None:
    """Names of columns as well; a text with nothing to escape stays as it is."""
    frame = pd.DataFrame({"![](x)": ["<b>"], "date": ["2011-03-01 10:00:00"]})
    assert markdown_table(frame).splitlines() == [
        r"| \!\[\]\(x\) | date |",
        "| --- | --- |",
        r"| \<b\> | 2011-03-01 10:00:00 |",
    ]
