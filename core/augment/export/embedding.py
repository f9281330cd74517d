"""Code of ours in the text of a script that stands alone.

What a script does is then what Augury does, because it is the same text. What it needs of ours comes along,
and only that; imports of libraries are merged at the top. The modules are read and never imported, so this
needs no torch.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import core

_ROOT = Path(core.__file__).parent.parent


class Script:
    """Imports, and definitions each after those that it needs; both grow as things are added."""

    def __init__(self) -> None:
        self._imports: set[tuple[str, str, str]] = set()  # a module, a name in it or "", the name here
        self._homes: dict[str, str] = {}  # the module of each name that is defined in the script
        self._blocks: list[str] = []

    def embed(self, module: str, *names: str) -> None:
        """Copy what ``module`` defines, or only these ``names``, and what that needs of ours, unless it is
        there."""
        source = _parsed(module)
        wanted = source.closure(names or source.definitions)
        new = [part for part in source.parts if wanted & set(part.names) and not self._has(module, part)]
        for each in new:
            for name in each.names:
                assert self._homes.setdefault(name, module) == module, f"{name} is there already"
        for name in sorted({used for each in new for used in each.uses if used in source.imports}):
            from_module, there = source.imports[name]
            if from_module.split(".")[0] != "core":
                self._imports.add((from_module, there, name))
            elif name not in source.for_types:
                assert name == there, "a copy keeps its names"
                self.embed(from_module, name)
        if new:
            self._blocks.append(_joined(new))

    def use(self, module: str, name: str = "", here: str = "") -> None:
        """Import a library's module, or a name of it."""
        self._imports.add((module, name, here or name or module))

    def take(self) -> list[str]:
        """What has come since the last time this was asked, a block a module."""
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

    def _has(self, module: str, part: _Part) -> bool:
        return any(self._homes.get(name) == module for name in part.names)


@dataclass(frozen=True, slots=True)
class _Part:
    """A definition of a module: what it is called, which names stand in it, and its text."""

    names: tuple[str, ...]
    uses: frozenset[str]
    text: str
    gap: int  # empty lines above it


@dataclass(frozen=True, slots=True)
class _Source:
    """A module, read.

    Args:
        imports: by the name here: the module it comes from, and its name there or "".
        for_types: those of them that only a type checker sees.
    """

    parts: tuple[_Part, ...]
    imports: dict[str, tuple[str, str]]
    for_types: frozenset[str]

    @property
    def definitions(self) -> list[str]:
        return [name for part in self.parts for name in part.names]

    def closure(self, names: Sequence[str]) -> set[str]:
        """These, and what they need of the same module."""
        by_name = {name: part for part in self.parts for name in part.names}
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name in found or name not in by_name:
                continue
            found.add(name)
            left += by_name[name].uses & by_name.keys()
        return found


@cache
def _parsed(module: str) -> _Source:
    """``if TYPE_CHECKING:`` must stand right below the imports; its stand-ins are left out."""
    text = (_ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    lines = text.splitlines()
    imports: dict[str, tuple[str, str]] = {}
    for_types: set[str] = set()
    parts: list[_Part] = []
    last = 0  # the line that the statement before ends in
    for statement in ast.parse(text).body:
        end = statement.end_lineno or 0
        if isinstance(statement, ast.If):
            for_types |= dict(_imported(statement)).keys()
            imports |= dict(_imported(statement))
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            imports |= dict(_imported(statement))
        elif isinstance(statement, ast.Expr):
            if parts:  # what stands below a value says what it is
                part = parts.pop()
                parts.append(_Part(part.names, part.uses, "\n".join([part.text, *lines[last:end]]), part.gap))
        else:
            begin = _begin(statement, lines, last)
            uses = frozenset(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
            gap = sum(not line.strip() for line in lines[last:begin])
            parts.append(_Part(_names(statement), uses, "\n".join(lines[begin:end]), gap))
        last = end
    wanted = {name: each for name, each in imports.items() if each[0] != "__future__"}
    return _Source(tuple(parts), wanted, frozenset(for_types))


def _begin(statement: ast.stmt, lines: list[str], last: int) -> int:
    """The index of a statement's first line, with its decorators and the comments right above."""
    decorators = getattr(statement, "decorator_list", [])
    begin = min([statement.lineno, *(each.lineno for each in decorators)]) - 1
    while begin > last and lines[begin - 1].startswith("#"):
        begin -= 1
    return begin


def _names(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return (statement.name,)
    assert isinstance(statement, ast.Assign | ast.AnnAssign), "a module that is copied only defines"
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return tuple(node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))


def _imported(statement: ast.stmt) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Import):
            yield from ((each.asname or each.name, (each.name, "")) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((each.asname or each.name, (str(node.module), each.name)) for each in node.names)


def _joined(parts: Sequence[_Part]) -> str:
    text = parts[0].text
    for before, part in pairwise(parts):
        apart = 2 if "\n" in before.text and before.gap >= 2 else part.gap
        text += "\n" * (1 + max(apart, part.gap)) + part.text
    return text


def _is_library(module: str) -> bool:
    return module.split(".")[0] not in sys.stdlib_module_names


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by the alphabet."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2), name
