"""Whole modules of ours in the text of a script that stands alone.

What a script does is then what Augury does, because it is the same text. What a module imports of ours
comes along; its other imports are merged at the top. The modules are read and never imported, so this
needs no torch.
"""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import core

_ROOT = Path(core.__file__).parent.parent


class Script:
    """Imports, and modules each after those that it needs; both grow as things are added."""

    def __init__(self) -> None:
        self._imports: set[tuple[str, str, str]] = set()  # a module, a name in it or "", the name here
        self._embedded: set[str] = set()
        self._blocks: list[str] = []

    def embed(self, module: str) -> None:
        """Copy ``module``, and what it needs of ours, unless it is there."""
        if module in self._embedded:
            return
        self._embedded.add(module)
        imports, text = _parts(module)
        for source, name, here in imports:
            if source.split(".")[0] == "core":
                assert name == here, "a copy keeps its names"
                self.embed(source)
            else:
                self._imports.add((source, name, here))
        self._blocks.append(text)

    def use(self, module: str, name: str = "", here: str = "") -> None:
        """Import a library's module, or a name of it."""
        self._imports.add((module, name, here or name or module))

    def take(self) -> list[str]:
        """The modules that have come since the last time this was asked."""
        taken, self._blocks = self._blocks, []
        return taken

    def imports(self) -> str:
        """The import statements: the standard library's, a gap, the others; sorted as ruff sorts them."""
        groups: list[list[str]] = [[], []]
        members: dict[str, list[str]] = {}
        for module, name, here in sorted(self._imports, key=lambda each: (each[0].lower(), each)):
            if name:
                members.setdefault(module, []).append(name if name == here else f"{name} as {here}")
            else:
                line = f"import {module}" if here == module else f"import {module} as {here}"
                groups[_is_library(module)].append(line)
        for module, names in members.items():
            line = f"from {module} import {', '.join(sorted(names, key=_rank))}"
            groups[_is_library(module)].append(line)
        return "\n\n".join("\n".join(lines) for lines in groups if lines)


@cache
def _parts(module: str) -> tuple[list[tuple[str, str, str]], str]:
    """A module's imports, as `Script` has them, and the text below them.

    ``if TYPE_CHECKING:`` must stand right below the imports: its imports count, its stand-ins are left out.
    """
    text = (_ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    docstring, *statements = ast.parse(text).body
    imports: list[tuple[str, str, str]] = []
    last: ast.stmt = docstring
    for statement in statements:
        for_types = isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
        if not for_types and not isinstance(statement, ast.Import | ast.ImportFrom):
            break
        for node in ast.walk(statement):
            if isinstance(node, ast.Import):
                imports += [(each.name, "", each.asname or each.name) for each in node.names]
            elif isinstance(node, ast.ImportFrom):
                imports += [(str(node.module), each.name, each.asname or each.name) for each in node.names]
        last = statement
    body = "\n".join(text.splitlines()[last.end_lineno :]).strip("\n")
    wanted = [each for each in imports if each[0] != "__future__" and each[1] != "TYPE_CHECKING"]
    return wanted, body


def _is_library(module: str) -> bool:
    return module.split(".")[0] not in sys.stdlib_module_names


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by the alphabet."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name
