"""From a figure to its files, PNG and SVG, and to a smaller preview. The same figure makes the same bytes."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREVIEW_PIXELS: Final = 900
"""The width of a chart in the UI. At this size its smallest type is legible, and an event stores some 27 KB of it."""
# A chart has few colours; the shades between them keep small type legible. With fewer, neighbouring segments merge.
_PREVIEW_COLOURS: Final = 64


def png_of(figure: Figure, title: str) -> bytes:
    """The figure as a PNG file."""
    # The least compression makes files a sixth larger, in a fifth of the time.
    return _saved(figure, "png", {"Title": title, "Software": None}, pil_kwargs={"compress_level": 1})


def svg_of(figure: Figure, title: str) -> str:
    """The figure as an SVG file, its letters drawn as paths."""
    return _saved(figure, "svg", {"Title": title, "Date": None, "Creator": None}).decode()


def preview(png: bytes, name: str) -> str:
    """A small picture of a chart, as Markdown that holds it, for the UI."""
    return f"![{name}](data:image/png;base64,{base64.b64encode(thumbnail(png, PREVIEW_PIXELS)).decode()})"


def thumbnail(png: bytes, width: int) -> bytes:
    """A small PNG of a chart, `width` pixels wide, in few colours: some 20 KB at 900."""
    with Image.open(io.BytesIO(png)) as image:
        height = max(1, round(image.height * width / image.width))
        small = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    # An octree is faster than median cut, and truer to the few colours of large areas.
    small.quantize(_PREVIEW_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG")
    return file.getvalue()


def _saved(figure: Figure, form: str, metadata: dict[str, str | None], **options: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format=form, metadata=metadata, **options)
    return file.getvalue()
