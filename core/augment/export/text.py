"""A pipeline as JSON or YAML, and back."""

from __future__ import annotations

import json
import re
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from core.augment.check import completed_augment
from core.augment.export import yaml
from core.augment.export.versions import versions
from core.run.errors import SpecError
from core.run.spec import MAX_SPEC_BYTES, AugmentSpec, RunSpec, parse

_FLAT_LIST = re.compile(r"\[\n[^\[\]{}]*\]")


def as_json(spec: AugmentSpec) -> str:
    """The pipeline and the `versions`, as JSON, a line for each value; `read` gives an equal spec."""
    text = json.dumps(_plain(spec), indent=2, ensure_ascii=False)

    def on_one_line(found: re.Match[str]) -> str:
        return "[" + " ".join(found[0][1:-1].split()) + "]"

    return _FLAT_LIST.sub(on_one_line, text) + "\n"


def as_yaml(spec: AugmentSpec) -> str:
    """The pipeline and the `versions`, as YAML; `read` gives an equal spec."""
    return yaml.dump(_plain(spec))


def read(text: str | bytes, channels: int | None = None) -> AugmentSpec:
    """The pipeline that JSON or YAML describes, completed; of a whole run's spec, its augment part.

    Args:
        text: an `AugmentSpec` or a `RunSpec`; bytes are UTF-8.
        channels: of the images it is for; None if that is not known yet.

    Raises:
        SpecError: it can't be read, or something in it is unknown or out of bounds; the sentence names
            the line.
    """
    if len(text) > MAX_SPEC_BYTES:
        raise SpecError("", f"This is longer than {MAX_SPEC_BYTES // 1024} kB; a pipeline is a page of text.")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            bad = error.object.count(b"\n", 0, error.start) + 1
            raise SpecError("", f"Line {bad} is not text in UTF-8; save the file as UTF-8.") from None
    values, root = _values(text)
    if not isinstance(values, dict):
        raise SpecError("", "Line 1 starts no pipeline; one is ops, with a list of operations.")
    values.pop("versions", None)  # they say what the file was made with, and choose nothing
    is_run = bool(values.keys() & RunSpec.model_fields.keys())
    try:
        spec = parse(values if is_run else {"augment": values}).augment
        return completed_augment(spec, channels or 3, has_masks=True)
    except RecursionError:
        raise SpecError("", "This is nested deeper than any pipeline is.") from None
    except SpecError as error:
        line = _line(root or _nodes(text), error.where if is_run else error.where.removeprefix("augment"))
        raise SpecError(error.where, f"{error.what} See line {line}." if line else error.what) from None


def _plain(spec: AugmentSpec) -> dict[str, Any]:
    return {**spec.model_dump(mode="json", exclude_none=True), "versions": versions()}


def _values(text: str) -> tuple[Any, Node | None]:
    """What JSON or YAML says, as plain values; of YAML the nodes too."""
    try:
        return json.loads(text, object_pairs_hook=_no_key_twice), None
    except (ValueError, RecursionError) as error:
        reason = error
    try:
        return yaml.load(text)
    except SpecError:
        if isinstance(reason, json.JSONDecodeError) and text.lstrip().startswith("{"):
            raise SpecError("", f"Line {reason.lineno} is not valid JSON: {reason.msg}.") from None
        raise


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("the YAML reader, which knows lines, says which")
    return dict(pairs)


def _nodes(text: str) -> Node | None:
    """JSON as YAML's nodes; None where it is no YAML."""
    try:
        return yaml.load(text)[1]
    except SpecError:
        return None


def _line(node: Node | None, path: str) -> int | None:
    """The line that ``path`` leads to, as far as it does."""
    if node is None:
        return None
    for key in re.findall(r"[^.\[\]]+", path):
        if isinstance(node, MappingNode):
            found = [value for name, value in node.value if name.value == key]
        elif isinstance(node, SequenceNode) and key.isdecimal():
            found = node.value[int(key) : int(key) + 1]
        else:
            break
        if not found:
            break
        node = found[0]
    return int(node.start_mark.line) + 1
