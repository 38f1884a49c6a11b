"""The printable report as a file: HTML that needs nothing else, or a PDF of the same by the extra `report`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from lgs_assets import wording
from lgs_assets.configuration import as_written
from lgs_assets.dashboard.filters import Filters
from lgs_assets.dashboard.pages import overview, report, segments
from lgs_assets.dashboard.pages.page import View
from lgs_assets.dashboard.queries import Built, Choices, Reading, Tables
from lgs_assets.dashboard.rendering import FOLDER, templates
from lgs_assets.errors import LgsError

_TABLES: Final = tuple(dict.fromkeys((*overview.PAGE.tables, *segments.ONE.tables)))


def write(tables: Tables, names: Sequence[str], file: Path) -> Path:
    """Writes the report of these segments, or of the whole shop if none is named, and returns where.

    Raises LgsError for an unknown segment, for a file that is neither HTML nor PDF, and for a PDF without the
    extra `report`: the HTML is then written beside it, and prints as well.
    """
    return put(lambda: render(tables, names), file)


def put(render_html: Callable[[], str], file: Path) -> Path:
    """Writes a report to a file, and returns where. Raises as `write` does; for the name, before it renders."""
    if file.suffix not in (".html", ".pdf"):
        raise LgsError(f"{file}: expected a name that ends in .html or .pdf.")
    html = render_html()
    file.parent.mkdir(parents=True, exist_ok=True)
    page = file.with_suffix(".html")
    if file.suffix == ".html":
        page.write_text(html)
        return page
    try:
        from weasyprint import HTML  # an extra: it needs Pango, which the operating system has to bring
    except (ImportError, OSError) as error:
        page.write_text(html)
        raise LgsError(
            f'A PDF needs WeasyPrint and Pango: .venv/bin/pip install --editable ".[report]". Wrote {page} instead, '
            "which any browser prints."
        ) from error
    HTML(string=html, url_fetcher=_refuse).write_pdf(file)
    return file


def render(tables: Tables, names: Sequence[str]) -> str:
    """The report as HTML with its styles. Raises as `write` does."""
    with tables.reading(_TABLES, segments.ONE.wished) as reading:
        sheets = [_segment(reading, name) for name in names] or [_shop(reading)]
        return _printed(sheets, reading, f"London Gift Shop: {', '.join(sheet['title'] for sheet in sheets)}")


@dataclass(frozen=True)
class MonthEnd:
    """The report of the last whole month, on the shop and each segment."""

    month: date
    data_until: datetime
    build: str
    html: str
    headline: list[tuple[str, str, str]]
    """The numbers at its head: what, how much, and what is said beside."""


def month_end(tables: Tables) -> MonthEnd:
    """The report that is kept for a month. Raises NotReadyError where tables are missing."""
    with tables.reading(_TABLES, segments.ONE.wished) as reading:
        shop = _shop(reading)
        month = reading.as_of(Filters())
        sheets = [shop, *(_segment(reading, name) for name in reading.choices.segments)]
        return MonthEnd(
            month,
            reading.choices.until,
            reading.built.name(reading.tables),
            _printed(sheets, reading, f"London Gift Shop: {wording.month(month)}"),
            [(number.label, number.value, "; ".join(number.remarks)) for number in shop["numbers"]],
        )


def _printed(sheets: Sequence[dict[str, Any]], reading: Reading, title: str) -> str:
    css = "\n".join((FOLDER / "static" / name).read_text() for name in ("dashboard.css", "report.css"))
    page = templates().get_template("report.html")
    return page.render(sheets=sheets, css=css, title=title, back="", notices=[], conditions=conditions(reading.built))


def conditions(built: Built) -> str:
    """The settings that made the tables, and what tells this build from any other."""
    settings = {name: as_written(value) for table in built.tables.values() for name, value in table.settings.items()}
    said = ", ".join(f"{name} {value}" for name, value in sorted(settings.items()))
    return f"settings: {said} · build {built.name(built.tables)}"


def segment_named(choices: Choices, name: str) -> str:
    """The segment of a name, however it is written. Raises LgsError if there is none."""
    wanted = name.casefold()
    for segment in choices.segments.values():
        if wanted in (segment.segment.casefold(), segment.slug):
            return segment.segment
    raise LgsError(f"There is no segment {name}. The segments: {', '.join(choices.segments)}.")


def _segment(reading: Reading, name: str) -> dict[str, Any]:
    segment = reading.choices.segments[segment_named(reading.choices, name)]
    view = View(Filters(), reading, item=segment.slug)
    return report.sheet(view, segments.show_one(view, height=report.HEIGHT), "segment")


def _shop(reading: Reading) -> dict[str, Any]:
    view = View(Filters(), reading)
    return report.sheet(view, overview.show(view), "shop")


def _refuse(url: str, *_: object, **__: object) -> dict[str, Any]:
    raise LgsError(f"The report needs nothing from elsewhere; not {url}.")
