"""Arrow tables in COPY's text format, and back: exactly, for no number is ever a float.

Apart from `copy_text`, because Arrow takes much memory, and who loads a dump into PostgreSQL needs none of it.
"""

import io
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lgs_assets.sources.copy_text import NULL, unescaped

_ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
# 2.500000 is 2.5, and 0E-15 is 0. What else is written with an exponent stays as it is.
_ZEROS = ((r"^(-?\d+)(\.\d*[1-9])?\.?0*$", r"\1\2"), (r"^0E-\d+$", "0"))

# Each digit that stands alone in a date or an hour, and its place.
_ALONE = (
    ("^(\\d{4})-(\\d)-", "\\1-0\\2-"),
    ("^(\\d{4}-\\d\\d)-(\\d)($|[ T])", "\\1-0\\2\\3"),
    ("[ T](\\d):", " 0\\1:"),
)


def as_copy_text(rows: pa.RecordBatch) -> bytes:
    """The rows as lines, each with its line break. Decimals without zeros at the end."""
    return lines_of(_without_zeros(column) if pa.types.is_decimal(column.type) else column for column in rows.columns)


def lines_of(columns: Iterable[pa.Array]) -> bytes:
    """The values, as Arrow prints them, as lines, each with its line break."""
    fields = []
    for column in columns:
        text = column.cast(pa.string())
        for character, escape in _ESCAPES.items():
            text = pc.replace_substring(text, character, escape)
        fields.append(pc.fill_null(text, NULL.decode()))
    lines = pc.binary_join_element_wise(*fields, "\t").cast(pa.binary())  # Arrow does not check that a text is one
    return b"\n".join([*lines.to_pylist(), b""])


def from_copy_text(text: bytes, schema: pa.Schema) -> pa.Table:
    """The rows that lines of COPY's text format hold, in the order and the types of the schema.

    Raises pyarrow.ArrowInvalid for a value that is not of its type: so many digits that a decimal cannot hold, say.
    """
    if not text:
        return schema.empty_table()
    # A month, a day or an hour may have one digit; Arrow reads two.
    read_as = {f.name: pa.string() if pa.types.is_timestamp(f.type) else f.type for f in schema}
    rows = pa.csv.read_csv(
        io.BytesIO(text),
        pa.csv.ReadOptions(column_names=schema.names, block_size=max(len(text), 1)),
        pa.csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=False),
        pa.csv.ConvertOptions(
            column_types=read_as, null_values=[NULL.decode()], strings_can_be_null=True,
            true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip
    columns = [_meant(rows[field.name], field.type) for field in schema]
    return pa.table(columns, schema=schema)


def _without_zeros(column: pa.Array) -> pa.Array:
    text = column.cast(pa.string())
    for zeros, shorter in _ZEROS:
        text = pc.replace_substring_regex(text, zeros, shorter)
    return text


def _meant(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_timestamp(kind):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            for alone, two_digits in _ALONE:
                column = pc.replace_substring_regex(column, alone, two_digits)
            return column.cast(kind)
    if pa.types.is_string(kind) and pc.any(pc.match_substring(column, "\\")).as_py():
        return pa.chunked_array([[_text(value) for value in column.to_pylist()]], pa.string())
    return column


def _text(value: str | None) -> str | None:
    return value if value is None or "\\" not in value else unescaped(value.encode()).decode()
