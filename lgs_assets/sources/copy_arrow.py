"""Arrow tables in COPY's text format, and back: exactly, for no number is ever a float unless the schema says so."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from lgs_assets.sources.copy_text import ESCAPES, NULL, unescaped

# 2.500000 is 2.5, and 0E-15 is 0. Anything else with an exponent stays as it is.
_ZEROS = ((r"^(-?\d+)(\.\d*[1-9])?\.?0*$", r"\1\2"), (r"^0E-\d+$", "0"))

# Each place where a month, day or hour may have a single digit.
_ALONE = (
    ("^(\\d{4})-(\\d)-", "\\1-0\\2-"),
    ("^(\\d{4}-\\d\\d)-(\\d)($|[ T])", "\\1-0\\2\\3"),
    ("[ T](\\d):", " 0\\1:"),
)


def as_copy_text(rows: pa.RecordBatch) -> bytes:
    """The rows as lines, each with its line break. Decimals without trailing zeros, bytes in hexadecimal."""
    return lines_of(map(_as_copied, rows.columns))


def lines_of(columns: Iterable[pa.Array]) -> bytes:
    """The values, as Arrow prints them, as lines, each with its line break."""
    fields = []
    for column in columns:
        text = column.cast(pa.string())
        for character, escape in ESCAPES.items():
            text = pc.replace_substring(text, character, escape)
        fields.append(pc.fill_null(text, NULL.decode()))
    lines = pc.binary_join_element_wise(*fields, "\t").cast(pa.binary())  # Arrow does not check that it is valid text
    return b"\n".join([*lines.to_pylist(), b""])


def from_copy_text(text: bytes | memoryview, schema: pa.Schema) -> pa.Table:
    """The rows in lines of COPY's text format, in the order and the types of the schema.

    Raises pyarrow.ArrowInvalid for a value that is not of its type: more digits than a decimal can hold, say.
    """
    if not len(text):
        return schema.empty_table()
    try:
        rows = _fields(text, {field.name: field.type for field in schema})
    except pa.ArrowInvalid:  # perhaps a one-digit month, day or hour, where Arrow expects two digits
        as_text = {f.name: pa.string() if pa.types.is_timestamp(f.type) else f.type for f in schema}
        rows = _fields(text, as_text)
    return pa.table([_typed(rows[field.name], field.type) for field in schema], schema=schema)


def _fields(text: bytes | memoryview, types: dict[str, pa.DataType]) -> pa.Table:
    """The fields of each line, with escapes as written; bytes as text."""
    return pa.csv.read_csv(
        pa.py_buffer(text),
        pa.csv.ReadOptions(column_names=list(types), block_size=len(text)),
        pa.csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False, ignore_empty_lines=False),
        pa.csv.ConvertOptions(
            column_types={name: pa.string() if pa.types.is_binary(kind) else kind for name, kind in types.items()},
            null_values=[NULL.decode()], strings_can_be_null=True, true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip


def _as_copied(column: pa.Array) -> pa.Array:
    if pa.types.is_binary(column.type):
        return pa.array([None if value is None else f"\\x{value.hex()}" for value in column.to_pylist()], pa.string())
    if not pa.types.is_decimal(column.type):
        return column
    text = column.cast(pa.string())
    for zeros, shorter in _ZEROS:
        text = pc.replace_substring_regex(text, zeros, shorter)
    return text


def _typed(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_binary(kind):
        return pa.chunked_array([[_bytes(field) for field in column.to_pylist()]], kind)
    if pa.types.is_timestamp(kind) and not pa.types.is_timestamp(column.type):
        for alone, two_digits in _ALONE:
            column = pc.replace_substring_regex(column, alone, two_digits)
        return column.cast(kind)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if is_text and pc.any(pc.match_substring(column, "\\")).as_py():
        return pa.chunked_array([[_text(field) for field in column.to_pylist()]], kind)
    return column


def _text(field: str | None) -> str | None:
    return field if field is None or "\\" not in field else unescaped(field.encode()).decode()


def _bytes(field: str | None) -> bytes | None:
    return None if field is None else bytes.fromhex(unescaped(field.encode()).decode().removeprefix("\\x"))
