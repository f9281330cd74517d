"""Nothing from outside is drawn as Markdown: in the sources every call that draws a text is looked at.

A text is well if it is a literal, `plain(…)`, a number in a format, something in capitals (a catalogue or a
constant), one of `OURS` or `NUMBERS`, or made of such. What is none of these is escaped; or it belongs to
`OURS`, if all of it is written in this repository.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ["app.py", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "pages").rglob("*.py"))]

LABELLED = (
    "title header subheader markdown caption error warning info success toast write latex text badge button "
    "form_submit_button download_button link_button checkbox toggle radio selectbox multiselect slider "
    "select_slider number_input text_input text_area date_input time_input color_picker file_uploader "
    "camera_input pills segmented_control expander popover status spinner dialog tabs"
)
# Where the text stands, and where in functions of our own that hand theirs on.
PLACES: dict[str, tuple[int, ...]] = dict.fromkeys(LABELLED.split(" "), (0,))
PLACES |= {"progress": (1,), "page_link": (), "image": (1,), "metric": (0, 1, 2)}
HANDING_ON = {
    "log_dial": (0, 4),
    "_slider": (1,),
    "_integers": (1,),
    "_pick": (0,),
    "job_box": (),
    "pick_images": (2,),
    "_button": (0, 4),
    "_so_far": (1,),
    "_one_of": (1,),
}
KEYWORDS = ("label", "body", "text", "help", "caption")
MARKDOWN_OPTIONS = ("pills", "segmented_control", "radio", "select_slider")  # a selectbox's are drawn as text

FIELDS = ("title", "help", "effect", "source", "formula", "watch", "can_lie", "fits", "penalty_note")
OURS = {f"{of}.{field}" for of in ("entry", "preset", "kind", "parameter", "row") for field in FIELDS} | {
    "' '.join(verdict(points))", "_READ[entry.rises]", "_duration(progress.seconds_left)",
    "_how_it_went(view)", "_small_print(path.plan.spec, kind)", "_strength(regulariser)",
    "entry.effect_by(regulariser.solver)", "entry.effect_by(spec.solver)", "entry.solvers",
    "earlier_prunable_share(history)", "entry.no_filters", "entry.strength_help", "entry.symbol",
    "figures.clipped(*counts, channel)",
    "measure_now(history, name)", "removable(last, view.spec.model.arch)",
    "why_no_prunable_share(history)", "why_not_thorough(history)", "history.state",
    "figure.label", "figure.value", "figure.sure", "figure.help", "harder_while_learning(last, view.spec)",
    "label_warnings(look.augment)", "objective(spec)", "offered", "parameter.options", "regulariser.solver",
    "run.state", "symbol_of(spec.kind)", "title(parameter)", "undo[-1][0]", "view.state",
    "what_it_took(look)", "apart", "str.capitalize", "_in_words(found)",
    "_in_words(images, wrong, pairs, classes)",
    "_result(run)", "_in_words(results, len(views), what)", "_how_long(view)", "dial.parameter.help",
    "dial.when",
}  # fmt: skip
NUMBERS = {
    "batch.shape", "in_time(spec.train.epochs)", "each['epoch']", "event['epoch']", "last['epoch']",
    "plain_images['images']", "edges(history)",
    "out_of_sight(points)",
    "look.images.side", "kept['of']", "progress.epoch", "progress.epochs", "image_shape(look.spec.data).side",
    "len(notes)", "each.spec.seed", "spec.batch_size", "form.side", "form.fit", "len(shown)", "len(classes)",
    "sum((image.zeros == 1 for image in images))", "view.position", "waiting",
    "history.started['threads']", "number + 1", "entry.begins", "EXPORTS[kind].title",
}  # fmt: skip


def test_the_sources_escape_what_comes_from_outside():
    assert [place for source in SOURCES for place in unescaped(source, (ROOT / source).read_text())] == []


@pytest.mark.parametrize(
    "code",
    [
        "st.title(spec.name)",
        "st.error(str(error))",
        "st.error(f'No: {error}')",
        "st.page_link('x.py', label=point.name, help=plain(point.words))",
        "st.page_link('x.py', label='a', help=point.words)",
        "said = plain(a) + b\nst.caption(said)",
        "said, more = 'a', name\nst.caption(more)",
        "parts = ['a']\nparts.append(name)\nst.progress(0.5, ' · '.join(parts))",
        "for note in notes: st.info(note)",
        "column.metric('Layer', layer)",
        "st.segmented_control('Class', classes)",
        "st.segmented_control('Class', classes, format_func=lambda each: f'{each} x')",
        "st.pills('Class', ['a'], format_func=lambda i: names[i])",
        "bar.progress(0.5, f'{name}: {share:.1%}')",
        "st.caption(f'{name:>9}')",
    ],
)
def test_a_call_without_it_is_found(code):
    assert list(unescaped("x.py", code)) == [f"x.py:{len(code.splitlines())}"]


def unescaped(source: str, code: str) -> Iterator[str]:
    """``file:line`` of each call that draws a text which may come from outside."""
    tree = ast.parse(code)
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        for node in _of(scope):
            if isinstance(node, ast.Call) and not all(_Texts(scope).well(text) for text in _texts(node)):
                yield f"{source}:{node.lineno}"


def _of(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module or function, without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _of(child)


def _texts(call: ast.Call) -> list[ast.expr]:
    """What a call draws as Markdown; nothing if it draws none."""
    match call.func:
        case ast.Attribute(attr=name) if name in PLACES:
            places = PLACES[name]
        case ast.Name(id=name) if name in HANDING_ON:
            places = HANDING_ON[name]
        case _:
            return []
    texts = [call.args[i] for i in places if i < len(call.args)]
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    texts += [value for arg, value in keywords.items() if arg in KEYWORDS]
    if name in MARKDOWN_OPTIONS:
        options = call.args[1]
        match keywords.get("format_func"):
            case ast.Lambda(args=ast.arguments(args=[each]), body=body):
                texts.append(_Put(each.arg, options).visit(body))
            case shown:
                texts.append(shown or options)
    return texts


class _Put(ast.NodeTransformer):
    """Puts an expression where a name stands."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == self.name else node


class _Texts:
    """Which expressions of a function or module are texts that may be drawn as they are."""

    def __init__(self, scope: ast.AST) -> None:
        self.scope = scope
        self.asked: set[str] = set()  # names that are looked at: one may be made of itself

    def well(self, node: ast.expr) -> bool:
        text = ast.unparse(node)
        if text in OURS or text in NUMBERS or re.match(r"(\w+\.)?_?[A-Z][A-Z_]*\b", text):
            return True
        match node:
            case (
                ast.Constant()
                | ast.Call(func=ast.Name(id="plain" | "plain_but_bold" | "len" | "round" | "range"))
            ):
                return True
            case ast.FormattedValue(format_spec=ast.JoinedStr(values=[*_, ast.Constant(value=form)])):
                return form[-1] in "dfge%," or self.well(node.value)
            case ast.FormattedValue(value=value) | ast.ListComp(elt=value) | ast.GeneratorExp(elt=value):
                return self.well(value)
            case ast.SetComp(elt=value) | ast.DictComp(key=value):
                return self.well(value)
            case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.Dict(keys=parts):
                return all(map(self.well, parts))
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return all(map(self.well, parts))
            case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
                return self.well(first) and self.well(second)
            case ast.Call(func=ast.Name(id="list" | "sorted" | "filter" | "enumerate"), args=parts):
                return all(map(self.well, parts))
            case ast.Call(func=ast.Attribute(attr="join" | "lower" | "capitalize", value=of), args=parts):
                return all(map(self.well, [of, *parts]))
            case ast.Starred(value=ast.Name(id=name)) | ast.Name(id=name):
                return self._made_well(name)
        return False

    def _made_well(self, name: str) -> bool:
        """Whether all that a name ever stands for here is well; of a parameter the callers are looked at."""
        if name in self.asked:
            return True
        self.asked.add(name)
        made = [value for node in _of(self.scope) for value in _made(node, name)]
        if not made and isinstance(self.scope, ast.FunctionDef):
            return self.scope.name in HANDING_ON
        return bool(made) and all(map(self.well, made))


def _made(node: ast.AST, name: str) -> list[ast.expr]:
    """What ``node`` makes the name stand for, or adds to it."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            return [value for target, value in zip(targets, values, strict=True) if _binds(target, name)]
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=of), slice=key)]) if of == name:
            return [key]
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value) if value:
            return [value] if _binds(target, name) else []
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            return [value] if _binds(target, name) else []
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            return [value] if _binds(target, name) else []
        case ast.Call(func=ast.Attribute(attr="append", value=ast.Name(id=of)), args=[value]) if of == name:
            return [value]
    return []


def _binds(target: ast.expr, name: str) -> bool:
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    return any(isinstance(each, ast.Name) and each.id == name for each in targets)
