"""When a value is missing, or an error: one rule for every format, as each has its own words and none is consistent."""

import re

from lgs_assets.sources.identity import trimmed

# PostgreSQL and MySQL write \N, SQL Server NULL, SQL Developer (null), DBeaver [NULL], pandas nan, NaT, None and <NA>,
# R NA.
_WORDS = frozenset({"null", "(null)", "<null>", "[null]", "nan", "nat", "none", "na", "n/a", "<na>", "\\n"})
# Excel's #N/A in English and French, German, Italian and Spanish, Dutch, Polish, Swedish, Danish, Russian.
_NOT_AVAILABLE = frozenset({"#n/a", "#n/a!", "#nv", "#n/d", "#n/d!", "#n/b", "#saknas!", "#i/t", "#н/д"})
# An empty cell of a pivot table, in the same languages.
_BLANK = frozenset(
    {"(blank)", "(vide)", "(leer)", "(vuoto)", "(vuota)", "(en blanco)", "(vacío)", "(vazio)", "(em branco)", "(leeg)",
     "(puste)", "(tom)", "(tomt)", "(пусто)"}
)  # fmt: skip
_MISSING = _WORDS | _NOT_AVAILABLE | _BLANK
# What Excel saves as CSV for a formula that fails, by language; LibreOffice's Err:508.
_ERROR = re.compile(
    r"""\#(?:
      (?:VALUE|REF|DIV/0|NUM|NULL|SPILL|CALC|FIELD|BLOCKED|CONNECT|UNKNOWN|BUSY|PYTHON)! | NAME\? | GETTING_DATA
    | (?:VALEUR|NOMBRE|NUL|PROPAGATION|EPARS|CHAMP)! | NOM\?
    | (?:WERT|BEZUG|ZAHL|ÜBERLAUF|KALK|FELD)!
    | (?:VALORE|RIF|NULLO|ESPANSIONE)! | NOME\?
    | ¡(?:VALOR|REF|DIV/0|NUM|NULO|DESBORDAMIENTO|CALC)! | ¿NOMBRE\?
    | (?:VALOR|NÚM|NULO|DESPEJAR|DESPEJO)!
    | (?:WAARDE|VERW|DEEL/0|GETAL|LEEG|OVERLOOP|BEREKENEN)! | NAAM\?
    | (?:ARG|ADR|DZIEL/0|LICZBA|ZERO|ROZLANIE)! | NAZWA\?
    | (?:VÄRDEFEL|VÄRDE|REFERENS|DIVISION/0|OGILTIGT|SKÄRNING)! | NAMN\?
    | (?:VÆRDI|VERDI|REFERENCE)! | NAVN\?
    | (?:ЗНАЧ|ССЫЛКА|ДЕЛ/0|ЧИСЛО|ПУСТО)! | ИМЯ\?
    )
    | (?:Err|Error|Erro|Errore|Erreur|Fehler|Fout|Fel|Feil|Fejl|Błąd)[ \u00a0]?:[ ]?5\d\d""",
    re.I | re.VERBOSE,
)
# Of any other language or program. Not of descriptions: a product may well be called #LOVE!
_ANY_ERROR = re.compile(r"#[¡¿]?[^\W\d_][\w/]*[!?]")

ANY_ERROR = "#VALUE!"
"""What stands for an error that has another name, as LibreOffice's Err:508 has."""

FIRST_OF_A_VALUE = b"0-9AC-DG-MO-Zac-dg-mo-z"
"""Characters that begin neither such a word, nor an error, nor a blank text."""

FIRST_OF_AN_ERROR = b"BEFbef"
"""Those that begin errors such as Err:508, in which a colon follows the word, and no word for a missing value."""


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value: it is empty or blank, or one of the words for that in any case."""
    return (bare := trimmed(text)) == "" or bare.casefold() in _MISSING


def shows_error(text: str, *, is_description: bool = False) -> bool:
    """Whether a text is the error of a spreadsheet's formula. `#N/A` is not: it stands for a missing value."""
    if "#" not in text and ":" not in text:
        return False
    bare = trimmed(text)
    return bool(_ERROR.fullmatch(bare) or (not is_description and _ANY_ERROR.fullmatch(bare)))


def is_not_available(text: str) -> bool:
    """Whether a text is the error of a formula that stands for a missing value: `#N/A`, in any language."""
    return trimmed(text).casefold() in _NOT_AVAILABLE
