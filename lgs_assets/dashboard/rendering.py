"""The templates, and what they can say: one environment for pages, reports and figures. All text is escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2

from lgs_assets import places, wording
from lgs_assets.dashboard import content
from lgs_assets.dashboard.figures import shapes
from lgs_assets.dashboard.filters import BANDS
from lgs_assets.escaping import printable

FOLDER: Final = Path(__file__).parent


@cache
def code_version() -> str:
    """What tells these pages from those of another version of the code: of all, as pages say what others say, too."""
    digest = hashlib.sha256()
    for folder in (places.ROOT / "lgs_assets", places.SQL):
        for file in sorted(file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def templates(*, navigation: Iterable[Any] = ()) -> jinja2.Environment:
    """The environment of all templates. `navigation` are the pages that each page leads to.

    What a form sends back has to be the value itself: `value|e` leaves it as it is.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,  # or each page asks the disk for the age of each of its templates
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "written": content.written,
        "kind": shapes.kind,
        "number": "{:.3f}".format,
        "points": shapes.points,
        "day": wording.day,
        "day_of_year": wording.day_of_year,
        "month": wording.month,
        "counted": wording.counted,
    }
    for shown in (content.Link, content.Few, content.Bar, content.Shade):
        environment.tests[shown.__name__.lower()] = _is(shown)
    environment.tests["plain"] = content.is_plain
    environment.globals |= {
        "pages": list(navigation),
        "bands": BANDS,
        "dot": content.DOT,
        "code_version": code_version()[:12],
    }
    return environment


def _visible(value: object) -> object:
    """Text with an escape for what cannot be seen, such as the mark that turns round all that follows in a line."""
    if not isinstance(value, str) or value.isprintable() or hasattr(value, "__html__"):
        return value
    return printable(value, keep="\n\t")


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)
