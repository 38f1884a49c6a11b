"""Patterns mean the same on every supported Python."""

import ast
import re
from pathlib import Path

import lgs_assets

UNRELIABLE = re.compile(r"(?<!\\)[*+?}]\+|\(\?>")


def test_no_pattern_is_possessive_or_atomic() -> None:
    """Up to Python 3.11.4, these give wrong matches around groups. Every literal is searched, pattern or not."""
    package = Path(lgs_assets.__file__).parent
    found = [
        f"{path.relative_to(package)}, line {node.lineno}: {text}"
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        for text in [node.value if isinstance(node.value, str) else node.value.decode("latin-1")]
        if UNRELIABLE.search(text)
    ]
    assert not found, "\n".join(found)
