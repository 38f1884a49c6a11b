"""What tells one invoice or country from another, however a program spells it."""

import re

# Characters that str.strip takes away, and those of no width, which it leaves.
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u200c\u200d\u2060\ufeff"

_CANCELLATION = re.compile(r"c(?=\d)")
# 536365.0 and 536365,00: a program treated the number as one with decimals. 536.000 may be anything, and stays.
_DECIMALS = re.compile(r"(?:(?<=\d)[.,]0{0,2}|(?<=\d{4})[.,]0+)$", re.A)
# 5.36365E+11 and Java's 5.36365E11. Without sign and point, 5E11 may well be a real invoice number.
_SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+)E\+?|E\+)(\d{1,3})", re.I | re.A)


def trimmed(text: str) -> str:
    """The text without blanks around it, including no-break and zero-width spaces."""
    return text.strip(_BLANKS)


def invoice_number(text: str) -> str:
    """The one spelling of an invoice number: trimmed, without decimals, with a capital C for a cancellation.

    Raises ValueError for scientific notation that does not show all digits of the number.
    """
    number = trimmed(text)
    if number.isdecimal():
        return number
    if scientific := _SCIENTIFIC.fullmatch(number):
        first, others, exponent = scientific[1], scientific[2] or "", int(scientific[3])
        if exponent > len(others) or others[exponent:].strip("0"):
            raise ValueError("an invoice number with all its digits, as scientific notation has lost some")
        return first + others[:exponent]
    return _DECIMALS.sub("", _CANCELLATION.sub("C", number) if number.startswith("c") else number)
