"""Nothing from outside is drawn as Markdown: in the sources every call that draws a text is looked at.

A text is well if it is a literal, `plain(…)`, a number in a format, a name in capitals (a catalogue or a
constant), one of `OURS`, or made of such. A new one that is none of these is escaped, or belongs to `OURS`
if all of it is written in this repository.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ["app.py", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "pages").rglob("*.py"))]
CALLS = [
    "title",
    "header",
    "subheader",
    "markdown",
    "caption",
    "error",
    "warning",
    "info",
    "success",
    "toast",
    "write",
    "latex",
    "text",
    "badge",
    "button",
    "form_submit_button",
    "download_button",
    "link_button",
    "checkbox",
    "toggle",
    "radio",
    "selectbox",
    "multiselect",
    "slider",
    "select_slider",
    "number_input",
    "text_input",
    "text_area",
    "date_input",
    "time_input",
    "color_picker",
    "file_uploader",
    "camera_input",
    "pills",
    "segmented_control",
    "expander",
    "popover",
    "status",
    "spinner",
    "dialog",
    "tabs",
]
# Where the text stands, in these and in functions of our own that hand it on.
PLACES: dict[str, tuple[int, ...]] = dict.fromkeys(CALLS, (0,))
PLACES |= {"progress": (1,), "page_link": (), "image": (1,), "metric": (0, 1, 2)}
PLACES |= {"log_dial": (0, 4), "_slider": (1,), "_integers": (1,), "_pick": (0,)}
KEYWORDS = ("label", "body", "text", "help", "caption")
MARKDOWN_OPTIONS = ("pills", "segmented_control", "radio", "select_slider")  # of a selectbox they are text

FIELDS = ["title", "help", "effect", "source", "formula", "watch", "fits", "can_lie", "penalty_note", "unit"]
OURS = {f"{entry}.{field}" for entry in ("entry", "preset", "kind", "parameter", "row") for field in FIELDS} | {
    "entry.effect_by(spec.solver)", "entry.effect_by(regulariser.solver)", "title(parameter)",
    "' '.join(verdict(points))", "_how_far(view)", "_small_print(asked, kind)", "what_it_took(look)",
    "figures.measure_now(history, name)", "objective(spec)", "_strength(regulariser)", "_label(run)",
    "symbol_of(spec.kind)", "symbol_of(kind)",
}  # fmt: skip


def test_the_sources_escape_what_comes_from_outside():
    found = [place for source in SOURCES for place in unescaped(source, (ROOT / source).read_text())]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "st.title(spec.name)",
        "st.error(str(error))",
        "st.error(f'No: {error}')",
        "st.page_link('x.py', label=point.name, help=plain(point.words))",
        "st.page_link('x.py', label='a', help=point.words)",
        "said = plain(a) + b\nst.caption(said)",
        "parts = ['a']\nparts.append(name)\nst.progress(0.5, ' · '.join(parts))",
        "for note in notes:\n    st.info(note)",
        "column.metric('Layer', layer)",
        "st.segmented_control('Class', classes)",
        "st.pills('Class', ['a'], format_func=lambda i: names[i])",
        "bar.progress(0.5, f'{name}: {share:.1%}')",
    ],
)
def test_a_call_without_it_is_found(code):
    assert unescaped("x.py", code) == [f"x.py:{len(code.splitlines())}"]


def unescaped(source: str, code: str) -> Iterator[str]:
    """``file:line`` of each call that draws a text which may come from outside."""
    tree = ast.parse(code)
    places = []
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        for node in _of(scope):
            if isinstance(node, ast.Call) and not all(_Texts(scope).well(text) for text in _texts(node)):
                places.append(f"{source}:{node.lineno}")
    return places


def _of(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module or function, without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _of(child)


def _texts(call: ast.Call) -> list[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in PLACES:
        return []
    texts = [call.args[i] for i in PLACES[name] if i < len(call.args)]
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    texts += [value for arg, value in keywords.items() if arg in KEYWORDS]
    if name in MARKDOWN_OPTIONS:
        shown = keywords.get("format_func")
        texts += [shown.body] if isinstance(shown, ast.Lambda) else call.args[1:2]
    return texts


class _Texts:
    """Which expressions of a function or module are texts that may be drawn as they are."""

    def __init__(self, scope: ast.AST) -> None:
        self.scope = scope
        self.asked: set[str] = set()  # names that are looked at: one may be made of itself

    def well(self, node: ast.expr | None) -> bool:
        if (
            node is None
            or ast.unparse(node) in OURS
            or re.match(r"(\w+\.)?_?[A-Z][A-Z_]*\b", ast.unparse(node))
        ):
            return True
        match node:
            case ast.Constant():
                return True
            case ast.JoinedStr(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
                return all(map(self.well, parts))
            case ast.FormattedValue(format_spec=ast.JoinedStr(values=[*_, ast.Constant(value=form)])):
                return form[-1] in "dfge%,0123456789" or self.well(node.value)
            case ast.FormattedValue(value=value) | ast.Starred(value=value):
                return self.well(value)
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
                return self.well(first) and self.well(second)
            case ast.BoolOp(values=values):
                return all(map(self.well, values))
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element):
                return self.well(element)
            case ast.Call(func=ast.Name(id="plain" | "len" | "round")):
                return True
            case ast.Call(func=ast.Name(id="list" | "filter" | "zip" | "range"), args=parts):
                return all(map(self.well, parts))
            case ast.Call(
                func=ast.Attribute(attr="join" | "lower" | "capitalize" | "items", value=of), args=parts
            ):
                return self.well(of) and all(map(self.well, parts))
            case ast.Name(id=name):
                return self._made_well(name)
        return False

    def _made_well(self, name: str) -> bool:
        """Whether all that a name ever stands for here is well; a parameter is, where callers are looked at."""
        if name in self.asked:
            return True
        self.asked.add(name)
        made = [value for node in _of(self.scope) if (value := _made(node, name)) is not None]
        handed_on = isinstance(self.scope, ast.FunctionDef) and self.scope.name in PLACES and not made
        return handed_on or (bool(made) and all(map(self.well, made)))


def _made(node: ast.AST, name: str) -> ast.expr | None:
    """What ``node`` makes of the name: a value it is given, or that is added to it."""

    def binds(target: ast.expr) -> bool:
        return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(target))

    match node:
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value) if binds(
            target
        ):
            return value
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value) if binds(
            target
        ):
            return value
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value) if binds(
            target
        ):
            return value
        case ast.Call(func=ast.Attribute(attr="append", value=ast.Name(id=of)), args=[value]) if of == name:
            return value
    return None
