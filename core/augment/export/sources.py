"""The source of a function or class, with all that it needs, for a script that stands alone.

What a script does is then what Augury does, because it is the same text. Names are followed from module
to module: what Augury defines is copied, what a library defines is imported.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

OURS = "core."

Function = Callable[..., Any]


class Source:
    """Imports, and definitions each after those that it needs; both grow as things are added."""

    def __init__(self) -> None:
        self._imports: set[tuple[str, str, str]] = set()  # a module, a name in it or "", the name here
        self._homes: dict[str, str] = {}  # what is defined, and the module it is from
        self._definitions: list[str] = []

    def add(self, thing: type | Function) -> str:
        """Make a function or class available, ours or a library's; the name to call it by."""
        name: str = thing.__name__
        self._follow(thing.__module__, name)
        return name

    def use(self, module: str, name: str = "") -> str:
        """Import a whole module; the name to call it by."""
        self._imports.add((module, "", name or module))
        return name or module

    def take(self) -> list[str]:
        """The definitions that have come since the last time this was asked."""
        taken, self._definitions = self._definitions, []
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

    def _follow(self, module: str, name: str) -> None:
        """Take ``name`` as ``module`` knows it, after what the statement that defines it needs."""
        if not module.startswith(OURS):
            self._imports.add((_public(module, name), name, name))
            return
        text, statements = _statements(module)
        statement = statements[name]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            self._follow_import(statement, name)
            return
        if name in self._homes:
            assert self._homes[name] == module, f"both {module} and {self._homes[name]} define {name}"
            return
        self._homes[name] = module
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id in statements and node.id != name:
                self._follow(module, node.id)
        decorators = getattr(statement, "decorator_list", [])
        first = min(node.lineno for node in [statement, *decorators])
        self._definitions.append("\n".join(text.splitlines()[first - 1 : statement.end_lineno]))

    def _follow_import(self, statement: ast.Import | ast.ImportFrom, name: str) -> None:
        alias = next(alias for alias in statement.names if (alias.asname or alias.name) == name)
        if isinstance(statement, ast.Import):
            self._imports.add((alias.name, "", name))
        elif statement.module and statement.module.startswith(OURS):
            assert alias.asname is None, "a copy keeps its name"
            self._follow(statement.module, alias.name)
        else:
            self._imports.add((statement.module or "", alias.name, name))


@cache
def _statements(module: str) -> tuple[str, dict[str, ast.stmt]]:
    """A module's text, and the statement at its top that gives each name its value."""
    text = inspect.getsource(sys.modules[module])
    found: dict[str, ast.stmt] = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name: statement for alias in statement.names}
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node for target in targets for node in ast.walk(target)]
            found |= {node.id: statement for node in names if isinstance(node, ast.Name)}
    return text, found


def _public(module: str, name: str) -> str:
    """The package nearest the top that offers what ``module`` calls ``name``."""
    parts = module.split(".")
    packages = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    thing = getattr(sys.modules[module], name)
    return next(package for package in packages if getattr(sys.modules[package], name, None) is thing)


def _is_library(module: str) -> bool:
    return module.split(".")[0] not in sys.stdlib_module_names


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by the alphabet."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name
