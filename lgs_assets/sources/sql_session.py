"""The session of a script: what it sets that says how what follows is written, and in which place its tables are."""

import codecs
import re
from typing import NamedTuple

from lgs_assets.errors import DumpError
from lgs_assets.sources.encoding import Decoder
from lgs_assets.sources.sql_names import IDENTIFIER, Names, unquoted
from lgs_assets.sources.sql_script import Script

_SETTING = re.compile(r"SET\s+(client_encoding|standard_conforming_strings)\s*(?:=|TO\b)\s*'?([\w-]+)'?\s*$", re.I)
_USE = re.compile(rf"USE\b\s*(?!(?:HINT|PLAN)\b)({IDENTIFIER})", re.I)
_CONNECT = re.compile(r"\\c(?:onnect)?\s+(\S.*)")
_SCHEMA = re.compile(
    r"(?:SET\s+(?:(?:SESSION|LOCAL)\s+)?(?:search_path\s*(?:=|TO\b)|SCHEMA\b)\s*'?"
    r"|SELECT\s+(?:pg_catalog\s*\.\s*)?set_config\s*\(\s*'search_path'\s*,\s*')"
    rf"\s*(?:\"\$user\"\s*,\s*)?(?!DEFAULT\b)({IDENTIFIER})?",
    re.I,
)
# An assignment of MySQL's: the variable that keeps a time zone, or none, and what is assigned.
_TIME_ZONE = re.compile(
    r"(?:\bSET\s+|,\s*)(?:(@\w+)\s*:?=\s*@@(?:SESSION\s*\.\s*)?TIME_ZONE\b"
    r"|(?:(?:SESSION|LOCAL)\s+|@@(?:SESSION\s*\.\s*)?)?TIME_ZONE\s*:?=\s*"
    r"(?:'([^']*)'|\"([^\"]*)\"|(?:IFNULL\s*\(\s*)?(@?\w+)))",
    re.I,
)
_SQL_MODE = re.compile(
    r"(?:\bSET\s+|,\s*)(?:(?:SESSION|LOCAL)\s+|@@(?:SESSION\s*\.\s*)?)?SQL_MODE\s*:?=(.*)", re.I | re.S
)
_OFFSET = re.compile(r"([-+])(\d\d?):(\d\d)")
_UTC = ("UTC", "GMT", "ETC/UTC", "ETC/GMT")
_LOCAL = ("SYSTEM", "DEFAULT", "EUROPE/LONDON", "GB")
# In these, every byte that looks like ASCII is ASCII. In other encodings, half a character can look like a backslash.
_READABLE_ENCODING = re.compile(
    r"UTF-?8|UNICODE|SQL_ASCII|LATIN\d+|ISO[_-]?8859[_-]\d+|(?:WIN|WINDOWS-?)(?:125\d|866|874)|KOI8-?[RU]|EUC_\w+", re.I
)


class Place(NamedTuple):
    """Where a table is; what is not known is empty."""

    database: str
    schema: str
    table: str

    @property
    def shown(self) -> str:
        """As it is written in SQL."""
        return ".".join(filter(None, self))

    def may_be(self, other: "Place") -> bool:
        """Whether both may be the same, by what is known, in whatever case."""
        return all(
            not (one and another) or one.lower() == another.lower() for one, another in zip(self, other, strict=True)
        )


class Session:
    """What the statements of a script have set so far."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._database = ""
        self._schema = "dbo" if script.of_sql_server else ""
        self._time_zone = ""
        self._kept_time_zones: dict[str, str] = {}

    def take(self, statement: str) -> None:
        """Takes a statement into account if it sets something. Raises DumpError if that cannot be read."""
        if setting := _SETTING.match(statement):
            self._set(setting[1].lower(), setting[2])
        elif schema := _SCHEMA.match(statement):
            self._schema = "".join(unquoted(schema[1] or ""))
        elif use := _USE.match(statement):
            self._database = "".join(self.names(use[1]))
        elif connect := _CONNECT.match(statement):
            self._database = connect[1].strip()
        else:
            if self.script.of_mysql and (mode := _SQL_MODE.search(statement)):
                self.script.backslashes_escape = "NO_BACKSLASH_ESCAPES" not in mode[1].upper()
            for kept, *values in _TIME_ZONE.findall(statement):
                if kept:
                    self._kept_time_zones[kept.lower()] = self._time_zone
                else:
                    value = "".join(values)
                    self._time_zone = self._kept_time_zones.get(value.lower(), "") if value[:1] == "@" else value

    def names(self, identifiers: str) -> Names:
        """The names that identifiers stand for."""
        return unquoted(identifiers, keeps_case=self.script.of_mysql)

    def place(self, identifiers: str) -> Place:
        """Where a table is, as far as it is known."""
        *before, table = self.names(identifiers)
        if self.script.of_mysql:
            return Place(".".join(before) or self._database, "", table)
        *databases, schema = before or [self._schema]
        return Place(".".join(databases) or self._database, schema, table)

    def any_table(self, kind: str, identifier: str) -> Place:
        """The place of all tables of a schema or a database, which are one and the same in MySQL."""
        name = "".join(self.names(identifier))
        is_database = self.script.of_mysql or kind.upper() == "DATABASE"
        return Place(name, "", "") if is_database else Place(self._database, name, "")

    @property
    def time_zone(self) -> str:
        """The zone of times that MySQL converts, `UTC` or as `+01:00`; empty if they are local.

        Raises DumpError if it is another one.
        """
        zone = self._time_zone.upper()
        if zone in ("", *_LOCAL):
            return ""
        if zone in _UTC:
            return "UTC"
        if not (offset := _OFFSET.fullmatch(zone)):
            raise DumpError(
                f"{self.script.where}: the time zone {self._time_zone} is not supported. Write the dump with mysqldump "
                "--tz-utc."
            )
        return f"{offset[1]}{offset[2]:0>2}:{offset[3]}"

    def _set(self, setting: str, value: str) -> None:
        if setting == "standard_conforming_strings":
            self.script.backslashes_escape = value.lower() != "on"
            return
        try:
            if not _READABLE_ENCODING.fullmatch(value):
                raise LookupError(value)
            self.script.decoder = Decoder(_codec(value))
        except LookupError as error:
            raise DumpError(
                f"{self.script.where}: the encoding {value} is not supported. Write the dump with pg_dump "
                "--encoding=UTF8."
            ) from error


def _codec(encoding: str) -> str | None:
    """Python's name for one of PostgreSQL's encodings, None for bytes whose encoding PostgreSQL does not know."""
    name = re.sub(r"^WIN(?:DOWNS-?)?", "cp", encoding.upper()).replace("UNICODE", "UTF8").replace("EUC_CN", "GB2312")
    return None if name == "SQL_ASCII" else codecs.lookup(re.sub(r"KOI8-?", "KOI8-", name)).name
