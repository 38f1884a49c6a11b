r"""The two functions in which SQLite's `.dump` writes texts with line breaks: `replace('a\nb','\n',char(10))`, and from
version 3.50 on `unistr('a\u000ab')`.

Nothing else is evaluated: other calls are no values of a dump.
"""

import re

_TEXT = rb"'([^']*(?:''[^']*)*)'(?!')"
# The mark that stands for the character is one that the text does not hold: \n, \012, or in brackets with a number.
_MARK = rb"'(\(?\\[^'\\]{1,20})'"
# Texts outside the calls are matched as well, so that what they hold is not taken for a call.
_CALL = re.compile(
    rb"\breplace \s* \( \s* %b \s* , \s* %b \s* , \s* char \s* \( \s* (1[03]) \s* \) \s* \)"
    rb"|\bunistr \s* \( \s* %b \s* \) | '[^']*'" % (_TEXT, _MARK, _TEXT),
    re.I | re.X,
)
_ESCAPE = re.compile(rb"\\(?:\\|u(%(hex)b{4})|U(%(hex)b{8})|\+(%(hex)b{6})|(%(hex)b{4}))" % {b"hex": rb"[\dA-Fa-f]"})
_DEEPEST = 3  # a replacement of carriage returns in one of line feeds


def evaluated(row: bytes) -> bytes:
    """A row of values with these calls replaced by the texts that they return."""
    for _ in range(_DEEPEST):
        found = _CALL.sub(_text, row)
        if found == row:
            break
        row = found
    return row


def _text(found: re.Match[bytes]) -> bytes:
    text, mark, code, escaped = found.groups()
    if escaped is not None:
        return b"'%b'" % _ESCAPE.sub(_character, escaped)
    return found[0] if mark is None else b"'%b'" % text.replace(mark, bytes([int(code)]))


def _character(escape: re.Match[bytes]) -> bytes:
    digits = next(filter(None, escape.groups()), None)
    if digits is None:
        return b"\\"
    code = int(digits, 16)
    character = chr(code) if code <= 0x10FFFF else "\N{REPLACEMENT CHARACTER}"
    return character.encode(errors="surrogatepass").replace(b"'", b"''")
