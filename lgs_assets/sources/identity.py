"""What tells one invoice or country from another, however a program spells it."""

import re
import unicodedata
from typing import Literal

# Characters that show nothing: of no width, of the direction of writing, soft hyphens. str.strip leaves them.
_INVISIBLE = [code for code in range(0x10000) if unicodedata.category(chr(code)) == "Cf"]
_WITHOUT_INVISIBLE = dict.fromkeys(_INVISIBLE)
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "".join(map(chr, _INVISIBLE))

_FULL_WIDTH = {ord("！") + at: chr(ord("!") + at) for at in range(ord("~") - ord("!") + 1)}
# Excel's way to keep 00123 a text in CSV, and the apostrophe that does the same in a cell.
_TEXT_FORMULA = re.compile(r'="([^"]*(?:""[^"]*)*)"')
_APOSTROPHES = re.compile(r"['\u2018\u2019`]+(?!['\u2018\u2019`])(?=[cC]?[\W_]*\d)")
# C500002, c 500002, C-500002: what stands between the letter and the digits is not part of the number.
_CANCELLATION = re.compile(r"[cC][\W_]*(?=\d)")
# 536365.0 and 536365,00: a program treated the number as one with decimals. 536.000 may be anything, and stays.
_DECIMALS = re.compile(r"(?:(?<=\d)[.,]0{0,2}|(?<=\d{4})[.,]0+)$", re.A)
# 536,365 and 1 234 567: thousands apart, as a cell's format shows them. 536.365 are, too, beside a decimal comma.
_THOUSANDS = {
    mark: re.compile(
        rf"((?:C[\W_]*)?)([1-9]\d{{0,2}}(?:([,' \u00a0\u202f\u2019{more}])\d{{3}})(?:\3\d{{3}})*)", re.I | re.A
    )
    for mark, more in ((".", ""), (",", "."))
}
# 5.36365E+11 and Java's 5.36365E11. Without sign and point, 5E11 may well be a real invoice number.
_SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+)E\+?|E\+)(\d{1,3})", re.I | re.A)
_IN_QUOTES = re.compile(r"""(["'`]).*\1|“.*[”“]|[‘‚‛].*[’‘]|„.*[“”"]|«.*»|».*«|‹.*›|›.*‹""", re.S)
# What a stray quote leaves. In front, an apostrophe may keep a number a text; behind a stock code, " may mean inches.
_BEFORE, _BEHIND = '"', ('"', "'", "`")
# What a workbook shows of a number whose cell is formatted as a date. 2011-04-13 alone may well be a real number.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?", re.A)

DIGITS_LOST = "a number with all its digits, as scientific notation has lost some"

DecimalMark = Literal[".", ","]


def trimmed(text: str) -> str:
    """The text without blanks around it, including no-break spaces, and without invisible characters there."""
    return text.strip(_BLANKS)


def visible(text: str) -> str:
    """The trimmed text, without invisible characters in it either."""
    return trimmed(text) if text.isascii() else trimmed(text).translate(_WITHOUT_INVISIBLE)


def unquoted(text: str) -> str:
    """A text as it is. Raises ValueError if it is in quotes as a whole: they belong to the file, not to the value."""
    if _IN_QUOTES.fullmatch(trimmed(text)):
        raise ValueError("a value without quotes around it")
    return text


def _without_quotes(text: str) -> str:
    """A trimmed text as it is. Raises ValueError if there are quotes around it, or one before or behind it."""
    if unquoted(text).startswith(_BEFORE) or text.endswith(_BEHIND):
        raise ValueError("a value without a quote before or behind it")
    return text


def stock_code(text: str) -> str:
    """A stock code as it is written, but for characters that nobody sees, and in all its digits.

    Raises ValueError if it is in quotes, a date and time, or scientific notation that does not show all digits.
    """
    code = unquoted(text if text.isascii() else text.translate(_WITHOUT_INVISIBLE))
    return _without_exponent(trimmed(code)) or code


def _without_exponent(number: str) -> str | None:
    """The digits of a number in scientific notation, None for any other text.

    Raises ValueError if some are lost, or if it is not a number but a moment.
    """
    if _MOMENT.fullmatch(number):
        raise ValueError("a number or a code, and not a date and time")
    if not (scientific := _SCIENTIFIC.fullmatch(number)):
        return None
    first, others, exponent = scientific[1], scientific[2] or "", int(scientific[3])
    if exponent > len(others) or others[exponent:].strip("0"):
        raise ValueError(DIGITS_LOST)
    return first + others[:exponent]


def country(text: str) -> str:
    """The one spelling of a country: trimmed, with single spaces between words. Raises ValueError if it is none."""
    name = " ".join(_without_quotes(visible(text)).split())
    if not any(map(str.isalnum, name)) or name.startswith("#"):  # an error of a language that `missing` does not know
        raise ValueError("a country")
    return name


def unwrapped(text: str) -> str:
    """The text that Excel's formula `="…"` stands for; any other text as it is."""
    if '="' in text and (formula := _TEXT_FORMULA.fullmatch(trimmed(text))):
        return formula[1].replace('""', '"')
    return text


def identifier(text: str, mark: DecimalMark = ".") -> str:
    """The one spelling of a number that is a name: trimmed, in plain digits alone.

    Decimals of nothing, an exponent, an apostrophe and the separators of thousands are not part of it; `mark` is the
    decimal mark of the file.
    Digits of any script and characters of full width become ASCII. Others that stand for digits or letters, such as ²,
    ① and ™, stay: 536365² is not 5363652.
    Raises ValueError for scientific notation that does not show all digits of the number, for a date and time, and for
    a text in quotes.
    """
    number = _without_quotes(visible(text))
    if not number.isascii():
        number = "".join(map(_plain, number))
    if apostrophes := _APOSTROPHES.match(number):
        number = number[apostrophes.end() :]
    if digits := _without_exponent(number):
        return digits
    number = _DECIMALS.sub("", number)
    grouped = _THOUSANDS[mark].fullmatch(number)
    return grouped[1] + grouped[2].replace(grouped[3], "") if grouped else number


def _plain(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return _FULL_WIDTH.get(ord(character), character) if digit is None else str(digit)


def invoice_number(text: str, mark: DecimalMark = ".") -> str:
    """The identifier of an invoice, with a capital C right before the digits for a cancellation. Raises ValueError."""
    number = identifier(text, mark)
    cancelled = _CANCELLATION.match(number)
    return f"C{number[cancelled.end() :]}" if cancelled else number
