"""YAML 1.2's core schema, without the parts that surprise or attack.

No tags, no anchors and aliases (ten lines of them can mean a billion values), no deep nesting, no key
twice. And none of YAML 1.1's guesses: ``on`` and ``1:30`` are text, and ``1e-4`` is a number, as in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import yaml

from core.run.errors import SpecError

MAX_DEPTH = 16  # collections within collections; a whole run's spec has six

# https://yaml.org/spec/1.2.2/#1032-tag-resolution; infinities stay text, which no number's field takes.
_KINDS: tuple[tuple[str, str, str, Callable[[str], Any]], ...] = (
    ("null", r"null|Null|NULL|~|", "nN~", lambda text: None),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    ("int", r"[-+]?[0-9]+", "-+0123456789", int),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789", float),
)

T = TypeVar("T")


class Loader(yaml.SafeLoader):
    """One document as dictionaries, lists, text, numbers, true, false and null."""

    # PyYAML keeps its tables on the class; these start without what YAML 1.1 guesses and tags may ask for.
    yaml_implicit_resolvers = {}  # noqa: RUF012
    yaml_constructors = {  # noqa: RUF012
        f"tag:yaml.org,2002:{kind}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{kind}"]
        for kind in ("str", "seq", "map")
    }
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refused("anchors and aliases (& and *) are not read; write the values out", event)
        if getattr(event, "tag", None) is not None:
            raise _refused("tags (!) are not read; leave them out", event)
        if self._depth > MAX_DEPTH:
            raise _refused("this is nested deeper than any pipeline is", event)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = {}
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise _refused("a name before ':' must be text", key)
            if key.value in mapping:
                raise _refused(f"{key.value!r} is there twice", key)
            mapping[key.value] = self.construct_object(value, deep=deep)
        return mapping

    def construct_kind(self, node: yaml.ScalarNode) -> Any:
        convert = next(convert for kind, _, _, convert in _KINDS if node.tag.endswith(f":{kind}"))
        try:
            return convert(node.value)
        except ValueError:  # more digits than Python reads
            raise _refused("the number is too long", node) from None


class Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML could take for something else; writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _kind, _pattern, _first, _ in _KINDS:
    _tag, _whole = f"tag:yaml.org,2002:{_kind}", re.compile(rf"(?:{_pattern})\Z")
    Loader.add_implicit_resolver(_tag, _whole, [*_first, ""])
    Dumper.add_implicit_resolver(_tag, _whole, [*_first, ""])
    Loader.add_constructor(_tag, Loader.construct_kind)


def load(text: str) -> Any:
    """The values that ``text`` describes; None if it is empty.

    Raises:
        SpecError: it is not YAML, or uses what is not read here; the sentence names the line.
    """
    return _read(text, Loader.get_single_data)


def nodes(text: str) -> yaml.Node | None:
    """The same as nodes, which know their lines."""
    return _read(text, Loader.get_single_node)


def _read(text: str, get: Callable[[Loader], T]) -> T:
    try:
        return get(Loader(text))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError("", f"Line {line} holds a character that YAML does not allow.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        assert mark is not None
        raise SpecError("", f"Line {mark.line + 1} can't be read as YAML: {error.problem}.") from None


def _refused(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
