"""YAML 1.2, read without the parts that surprise or attack, and written so that YAML 1.1 reads it alike.

No tags, no anchors and aliases (ten lines of them can mean a billion values), no deep nesting, no key twice.
``on`` and ``1:30`` are text, and ``1e-4`` is a number, as in JSON.
"""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from core.run.errors import SpecError

MAX_DEPTH = 16  # collections within collections; a whole run's spec has six

_TEXT = "tag:yaml.org,2002:str"
_PLAIN = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))


def load(text: str) -> Any:
    """The values that ``text`` describes; None if it is empty.

    Raises:
        SpecError: it is not YAML, or uses what is not read here; the sentence names the line.
    """
    return _read(text, values=True)


def nodes(text: str) -> Node | None:
    """The same as nodes, which know their lines."""
    root: Node | None = _read(text, values=False)
    return root


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


def _read(text: str, values: bool) -> Any:
    try:
        _check_events(text)
        reader = _yaml()
        root = reader.compose(text)
        return _values(root, reader.constructor) if values and root is not None else root
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SpecError("", f"Line {line} holds a character that YAML does not allow.") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise SpecError("", f"Line {line} can't be read as YAML: {error.problem}.") from None


def _check_events(text: str) -> None:
    """Refuse what is not read here while it is parsed, before anything is built of it."""
    depth = 0
    for event in _yaml().parse(text):
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused("anchors and aliases (& and *) are not read; write the values out", event)
        if getattr(event, "tag", None) is not None:
            raise _refused("tags (!) are not read; leave them out", event)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _refused("this is nested deeper than any pipeline is", event)


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
    try:
        return constructor.construct_object(node)
    except ValueError:  # more digits than Python reads
        raise _refused("the number is too long", node) from None


def _refused(problem: str, place: Any) -> MarkedYAMLError:
    return MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
