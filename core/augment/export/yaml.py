"""YAML 1.2, read without the parts that surprise or attack, and written so that YAML 1.1 reads it alike.

No tags, no anchors and aliases (ten lines of them can mean a billion values), no deep nesting, no key twice.
``on`` and ``1:30`` are text, and ``1e-4`` is a number, as in JSON.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from core.run.errors import SpecError

MAX_DEPTH = 16  # collections within collections; a whole run's spec has six
MAX_VALUES = 8000  # names and values; the largest pipeline has under 2,000
MAX_DIGITS = 400  # of a number; 1e300 is the largest that any field takes

_TEXT = "tag:yaml.org,2002:str"
_PLAIN = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))


class _Composer(Composer):
    """Refuses what is not read here while it is parsed, before anything is built of it."""

    depth, count = 0, 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise _refused("anchors and aliases (& and *) are not read; write the values out", event)
        if getattr(event, "tag", None) is not None:
            raise _refused("tags (!) are not read; leave them out", event)
        if self.depth > MAX_DEPTH:
            raise _refused("this is nested deeper than any pipeline is", event)
        if self.count > MAX_VALUES:
            raise _refused("this holds more values than any pipeline has", event)
        self.count += 1
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def load(text: str) -> tuple[Any, Node | None]:
    """The values that ``text`` describes, and the same as nodes, which know their lines; None if it is empty.

    Raises:
        SpecError: it is not YAML, or uses what is not read here; the sentence names the line.
    """
    reader = _yaml()
    reader.Composer = _Composer
    try:
        root: Node | None = reader.compose(text)
        return None if root is None else _values(root, reader.constructor), root
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError("", f"Line {line} holds a character that YAML does not allow.") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise SpecError("", f"Line {line} can't be read as YAML: {error.problem}.") from None


def dump(values: Any) -> str:
    """``values`` as YAML; collections that hold no others are written on one line."""
    writer: Any = _yaml()  # typed as if each setting were what it starts as
    writer.default_flow_style = None
    writer.allow_unicode, writer.width = True, 100
    writer.sort_base_mapping_type_on_output = False
    writer.representer.ignore_aliases = lambda data: True
    # YAML 1.1 takes 1e-05 for text, and 1.0e-05 for a number.
    writer.representer.add_representer(float, _represent_float)
    stream = StringIO()
    writer.dump(values, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


def _represent_float(representer: Any, value: float) -> Any:
    text = repr(value)
    return representer.represent_scalar(
        "tag:yaml.org,2002:float", text if "." in text else text.replace("e", ".0e")
    )


def _values(node: Node, constructor: Any) -> Any:
    if isinstance(node, MappingNode):
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag != _TEXT:
                raise _refused("a name before ':' must be text", key)
            if key.value in mapping:
                raise _refused(f"{key.value!r} is there twice", key)
            mapping[key.value] = _values(value, constructor)
        return mapping
    if isinstance(node, SequenceNode):
        return [_values(item, constructor) for item in node.value]
    assert isinstance(node, ScalarNode)
    if node.tag not in _PLAIN:  # a date, say
        return node.value
    if len(node.value) > MAX_DIGITS:
        raise _refused("the number is too long", node)
    try:
        return constructor.construct_object(node)
    except ValueError:  # ruamel.yaml takes "._" for a number
        return node.value


def _refused(problem: str, place: Any) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
