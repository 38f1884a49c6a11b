"""Text from outside, made harmless where it is shown: in a terminal, a spreadsheet, Markdown.

File names, sheets and lines of dumps come from outside. What a reader sees represents exactly what is there.
"""

import re
import unicodedata

_FORMULA = re.compile(r"[\s\0]*[=+\-@＝＋－＠]|[\t\r\n]")
# Characters that CommonMark or GitHub's extensions could take for an image, a link, HTML, code or the end of a cell.
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#!|&~@$]|:(?=//)|(?<=\bwww)\.", re.I)


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with an escape such as `\x1b` for each character that commands a terminal or cannot be seen.

    Those in `keep` stay.
    """
    return "".join(
        character if character.isprintable() or unicodedata.category(character) == "Zs" or character in keep
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )  # fmt: skip


def csv_cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: if one could, after an apostrophe, which is shown."""
    safe = printable(text, keep="\t\n")
    return f"'{safe}" if _FORMULA.match(safe) else safe


def markdown(text: str) -> str:
    """The text as Markdown that shows exactly the text, on one line."""
    return _MARKDOWN.sub(r"\\\g<0>", printable(" ".join(text.splitlines())))
