"""The code that the function of a table reaches: what its version is made of, so that nobody lists files by hand."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from lgs_assets import places

_ROOMS = ("models", "action")
"""The rooms whose code makes the content of tables. Other rooms store, describe and orchestrate it."""
_PACKAGE = places.ROOT / "lgs_assets"


def reached_code(function: Callable[..., Any]) -> tuple[str, set[Path]]:
    """The text of the function and of those of its module that it uses; and the files of models that these import.

    Of its module nothing else counts: the rest builds other tables.
    """
    texts: dict[str, str] = {}
    modules: set[str] = set()
    waiting = [function]
    while waiting:
        used = waiting.pop()
        texts[used.__qualname__] = text = textwrap.dedent(inspect.getsource(used))
        for value in _values_named(text, used):
            if isinstance(value, FunctionType) and value.__module__ == used.__module__:
                if value.__qualname__ not in texts:
                    waiting.append(value)
            else:
                modules.add(value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", ""))
    files = {Path(str(sys.modules[name].__file__)) for name in modules & sys.modules.keys() if _is_of_rooms(name)}
    return "".join(texts[name] for name in sorted(texts)), files.union(*map(_imported, files))


def _values_named(text: str, function: Callable[..., Any]) -> Iterator[Any]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and node.id in function.__globals__:
            yield function.__globals__[node.id]


def _is_of_rooms(module: str) -> bool:
    return any(module.startswith(f"{_PACKAGE.name}.{room}.") for room in _ROOMS)


@cache
def _imported(file: Path) -> frozenset[Path]:
    """The files of these rooms that a file imports, directly or through others."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text())):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                path = places.ROOT / f"{name.replace('.', '/')}.py"
                if _is_of_rooms(name) and path not in found and path.exists():
                    found.add(path)
                    waiting.append(path)
    return frozenset(found)
