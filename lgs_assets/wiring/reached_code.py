"""The code that the function of a table reaches: what its version is made of, so that nobody lists files by hand.

All of it is read from the text of modules: a version is asked for while a module is still being imported.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lgs_assets import places

_PACKAGE = places.ROOT / "lgs_assets"
_ROOMS = tuple(_PACKAGE / name for name in ("models", "action", "charts", "dashboard", "escaping.py", "wording.py"))
"""The rooms and modules whose code makes the content of tables. Others store, describe and orchestrate it."""
_SQL = re.compile(r'places\.SQL / "(\w+\.sql)"')
"""How the code names a file of `sql` that is no table's own."""
_IMPORTS = re.compile(r"^ *(from lgs_assets\b.* import (?:\([^)]*\)|.*))", re.MULTILINE)
"""Its imports from this package: to parse whole modules would have every process start half a second later."""


def reached_code(function: Callable[..., Any]) -> tuple[str, set[Path]]:
    """The text of the function and of those of its module that it uses; and the files of `_ROOMS` that these import.

    Of its module nothing else counts: the rest builds other tables. SQL that an imported file reads counts as imported.
    """
    module = Path(inspect.getfile(function))
    defined = {node.name: node for node in _parsed(module).body if isinstance(node, ast.FunctionDef)}
    imported = dict(_names_imported(module))
    texts = {"": inspect.getsource(function)}
    used = _names_in(ast.parse(textwrap.dedent(texts[""])))
    while missing := sorted(used & defined.keys() - texts.keys() - {function.__name__}):
        for name in missing:
            texts[name] = ast.unparse(defined[name])
            used |= _names_in(defined[name])
    files = {imported[name] for name in used & imported.keys()}
    files = files.union(*map(_imported, files))
    return "\n".join(texts[name] for name in sorted(texts)), files.union(*map(_queries, files))


@lru_cache(maxsize=1)  # the tables of a module follow one another
def _parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def _names_in(function: ast.AST) -> set[str]:
    """The names that a function takes from outside: its inputs are called as the functions of other tables are."""
    nodes = list(ast.walk(function))
    return {each.id for each in nodes if isinstance(each, ast.Name)} - {
        each.arg for each in nodes if isinstance(each, ast.arg)
    }


@cache
def _imported(file: Path) -> frozenset[Path]:
    """The files of these rooms that a file imports, directly or through others."""
    found: set[Path] = set()
    waiting = {file}
    while waiting:
        added = {path for _, path in _names_imported(waiting.pop())} - found
        found |= added
        waiting |= added
    return frozenset(found)


@cache
def _queries(file: Path) -> frozenset[Path]:
    return frozenset(places.SQL / name for name in _SQL.findall(file.read_text()))


@cache
def _names_imported(file: Path) -> tuple[tuple[str, Path], ...]:
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[tuple[str, Path]]:
    """The names that a file imports from the rooms, anywhere in it, each with the file that it comes from."""
    for node in ast.parse("\n".join(_IMPORTS.findall(file.read_text()))).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if path := _in_rooms(f"{node.module}.{alias.name}") or _in_rooms(f"{node.module}"):
                    yield alias.asname or alias.name, path


@cache
def _in_rooms(module: str) -> Path | None:
    """The file of a module of the rooms."""
    path = places.ROOT / f"{module.replace('.', '/')}.py"
    return path if any(map(path.is_relative_to, _ROOMS)) and path.exists() else None
