"""Charts as pictures: what is read off them, by their own ticks, is what the run says."""

from __future__ import annotations

import dataclasses
import math
import re
import struct
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from exported_runs import SVG, Picture, source
from made_up_run import events
from PIL import Image

from core.export.charts import charts
from core.export.kinds import png
from core.export.kinds import svg as svg_kind
from core.export.source import Asked
from core.figures.overlay import COLOURS
from core.figures.parts import line, plain_layout
from core.figures.svg import svg
from core.measure.catalogue import MEASURES
from core.run.errors import SpecError

# A unit in brackets; or a number that has none, or a class.
UNIT = re.compile(
    r"\((%[^)]*|kB)\)|^(loss|epoch|weights|[|]w[|]|exactly 0|what .*|norm of .*|update / weight)$"
)


def drawn(traces, layout=None, **more):
    return Picture(svg({"data": traces, "layout": layout or plain_layout("y (%)")}, title="T", **more))


def off(picture: Picture, points, name: str, log: bool = False, y: str = "yaxis") -> float:
    """The greatest distance of a line's points, in pixels, from where the axes' ticks say they belong."""
    found = [point for piece in picture.line(name) for point in piece]
    assert len(found) == len(points)
    own = (lambda value: math.log10(value)) if log else float
    across, up = (
        sorted((scale(value), at) for value, at in picture.axis(axis).items())
        for axis, scale in (("xaxis", float), (y, own))
    )

    def place(ticks, value):
        (a, first), (b, last) = ticks[0], ticks[-1]
        return first + (value - a) / (b - a) * (last - first)

    return max(
        math.dist(found_at, (place(across, x), place(up, own(value))))
        for found_at, (x, value) in zip(found, points, strict=True)
    )


def chart_of(name, *runs):
    return next(each for each in charts(runs or [source()]) if each.name == name)


def test_accuracy_is_read_off_by_its_ticks():
    run = source()
    picture = Picture(chart_of("accuracy", run).svg())
    points = [(each["epoch"], 100 * each["validation_accuracy"]) for each in run.history.epochs]
    assert off(picture, points, "validation") < 1
    assert off(picture, [(epoch, 50.0) for epoch, _ in points], "while learning") < 1


def test_loss_is_read_off_a_logarithmic_axis_and_each_strength_off_its_strip():
    run = source()
    picture = Picture(chart_of("loss", run).svg())
    for name, key in (("validation", "validation_loss"), ("while learning", "train_loss")):
        assert off(picture, [(e["epoch"], e[key]) for e in run.history.epochs], name, log=True) < 1
    strengths = run.history.strengths["l1"]
    assert off(picture, list(zip(*strengths, strict=True)), "λ of L1", y="yaxis2") < 1


def test_several_runs_lie_over_each_other_with_a_legend():
    runs = [source("a" * 32, "First"), source("b" * 32, "Second", settings={"seed": 3})]
    picture = Picture(chart_of("zeros", *runs).svg())
    for run, name in zip(runs, ("First", "Second"), strict=True):
        points = [(e["epoch"], 100 * e["sparsity"]["exact"]) for e in run.history.epochs]
        assert off(picture, points, name) < 1
    assert picture.words("legend") == ["First", "Second"]
    assert picture.words("caption")[0].startswith("n: 712 weights in each run. Run aaaaaaaa, seed 0")


@pytest.mark.parametrize("chart", charts([source()]), ids=lambda each: each.name)
def test_each_chart_says_its_axes_units_and_n(chart):
    picture = Picture(chart.svg())
    titles = picture.words("title")
    assert titles[0] == chart.title and len(titles) >= 2
    for title in titles[1:]:
        of_counts = any(title.startswith(MEASURES[name].title.lower()) for name in MEASURES)
        assert UNIT.search(title) or of_counts or title == "epoch", title
    (caption,) = picture.words("caption")
    assert re.match(r"n( after epoch \d+)?: [\d,]+ ", caption), caption
    assert "Run aaaaaaaa, seed 0" in caption
    width = float(picture.root.get("width"))
    for text in picture.root.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x", 0)) <= width


def test_what_was_changed_stands_in_the_caption_and_as_a_mark():
    from made_up_run import events

    told = events()
    edit = {
        "event": "edit",
        "step": 8,
        "epoch": 2.0,
        "set": {"optimiser.lr": 0.01},
        "was": {"optimiser.lr": 1e-3},
    }
    run = source(told=[*told[:-2], edit, *told[-2:]])
    picture = Picture(chart_of("accuracy", run).svg())
    assert "Changed at ▼: learning rate 0.001 → 0.01 after step 8, epoch 2.00." in picture.words("caption")[0]
    at = picture.axis("xaxis")
    marks = [float(each.get("x1")) for each in picture.root.iter(f"{SVG}line") if each.get("class") == "mark"]
    assert any(abs(mark - at[2]) < 0.1 for mark in marks) and picture.words("note").count("▼") == 1


def test_a_line_has_its_gaps_and_a_logarithm_has_no_place_for_zero():
    layout = plain_layout("y") | {"yaxis": {"title": {"text": "y"}, "type": "log", "range": [-2, 2]}}
    picture = drawn([line("a", [0, 1, 2, 3, 4, 5], [1, 10, None, 0, 1, 10], "#000000")], layout)
    assert [len(piece) for piece in picture.line("a")] == [2, 2]
    assert off(picture, [(0, 1), (1, 10), (4, 1), (5, 10)], "a", log=True) < 1


def test_what_lies_beyond_the_axes_is_cut_and_has_no_marker():
    layout = plain_layout("y")
    layout["yaxis"]["range"], layout["xaxis"]["range"] = [0, 1], [0, 2]
    picture = drawn([line("a", [0, 1, 2], [0.5, 5, 0.5], "#000000", markers=True)], layout)
    (trace,) = picture.traces("a")
    assert len(list(trace.iter(f"{SVG}circle"))) == 2
    (cut,) = (each.get("clip-path") for each in trace if each.get("clip-path"))
    clip = next(each for each in picture.root.iter(f"{SVG}clipPath") if cut == f"url(#{each.get('id')})")
    top = float(clip[0].get("y"))
    assert top > 0 and min(y for _, y in picture.line("a")[0]) < top


def test_a_band_lies_between_its_two_lines():
    lines = [
        line("low", [0, 1, 2], [1, 2, 1], "#000000"),
        line("high", [0, 1, 2], [3, 4, 3], "#000000", fill="tonexty", fillcolor="rgba(0,0,0,0.25)"),
    ]
    picture = drawn(lines)
    area = next(each for each in picture.traces("high")[0].iter(f"{SVG}path") if each.get("stroke") == "none")
    numbers = [*map(float, re.findall(r"[\d.]+", area.get("d")))]
    corners = list(zip(numbers[::2], numbers[1::2], strict=True))
    low, high = picture.line("low")[0], picture.line("high")[0]
    assert corners == [*high, *reversed(low)] and area.get("fill-opacity") == "0.25"


def test_cells_have_the_place_and_the_colour_of_their_values():
    run = source()
    picture = Picture(chart_of("sparsity-map", run).svg())
    (group,) = (each for each in picture.root.iter(f"{SVG}g") if each.get("class") == "cells")
    cells = list(group)
    layers = len(run.history.epochs[0]["sparsity"]["layers"]) + 1
    assert len(cells) == layers * len(run.history.epochs)
    exact = [e["sparsity"]["exact"] for e in run.history.epochs]
    opacities = [float(each.get("fill-opacity")) for each in cells[-len(exact) :]]
    assert opacities == pytest.approx([0.05 + 0.95 * share for share in exact], abs=1e-3)
    lefts = [float(each.get("x")) for each in cells[: len(exact)]]
    at = picture.axis("xaxis")
    width = float(cells[0].get("width"))
    assert [left + width / 2 for left in lefts] == pytest.approx(
        [at[i + 1] for i in range(len(exact))], abs=1
    )
    assert all(b > a for a, b in pairwise(lefts))


def test_an_interval_is_drawn_to_its_ends():
    run = source()
    picture = Picture(chart_of("measure-prunable", run).svg())
    bars = [each for each in picture.traces("whole")[0].iter(f"{SVG}path") if each.get("class") == "error"]
    assert len(bars) == 3
    at = picture.axis("yaxis")
    scale = (at[100] - at[0]) / 100
    foot, top = map(float, re.match(r"M[\d.]+ ([\d.]+) V([\d.]+)", bars[0].get("d")).groups())
    assert (foot, top) == pytest.approx((at[0] + 80 * scale, at[0] + 94 * scale), abs=1)


@pytest.mark.parametrize(
    ("trace", "layout"),
    [
        ({"type": "pie"}, {}),
        ({"type": "scatter", "x": [1], "y": [1], "stackgroup": "a"}, {}),
        ({"type": "scatter", "x": [1], "y": [1], "fill": "tonextx"}, {}),
        ({"type": "scatter", "x": [1], "y": [1], "mode": "markers", "marker": {"symbol": "star"}}, {}),
        ({"type": "scatter", "x": [1], "y": [1], "line": {"shape": "vhv"}}, {}),
        ({"type": "scatter", "x": [1, 2], "y": [1, 2], "line": {"color": "var(--x)"}}, {}),
        (line("a", [1, 2], [1, 2], "#000000"), {"xaxis": {"rangebreaks": []}}),
        (
            line("a", [1, 2], [1, 2], "#000000"),
            {"shapes": [{"type": "circle", "x0": 0, "x1": 1, "y0": 0, "y1": 1}]},
        ),
        (line("a", [1, 2], [1, 2], "#000000"), {"annotations": [{"text": "a", "x": 1, "y": 1}]}),
    ],
)
def test_what_is_not_drawn_is_refused(trace, layout):
    with pytest.raises(NotImplementedError, match="not drawn"):
        svg({"data": [trace], "layout": layout}, title="T")


def test_hostile_names_are_letters():
    hostile = "</text><script>alert(1)</script> & \"'\x00\x1b ]]> <b>bold</b>"
    run = source(name=hostile[:80])
    for chart in charts([run, source("b" * 32)]):
        root = ElementTree.fromstring(chart.svg())
        assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
            "svg", "title", "desc", "rect", "defs", "clipPath", "text", "tspan", "line", "g", "path",
            "circle",
        }  # fmt: skip
        assert "<script>alert(1)</script>" in "".join(root.itertext())
    picture = drawn(
        [line(hostile, [0, 1], [0, 1], "#000000"), line("b", [0, 1], [0, 1], "#000000")], caption=hostile
    )
    said = picture.words("legend")[0]
    assert "<script>alert(1)</script>" in said and "<b>bold</b>" in said


def test_no_epoch_no_chart():
    with pytest.raises(SpecError, match="No epoch of it has ended"):
        charts([source(told=[])])


def test_png_are_the_same_pictures_twice_as_large(tmp_path):
    runs = source("a" * 32, "First"), source("b" * 32, "Second", settings={"seed": 3})
    png.write(Asked(runs), tmp_path)
    svg_kind.write(Asked(runs), tmp_path)
    names = {path.stem for path in tmp_path.glob("*.png")}
    assert names == {path.stem for path in tmp_path.glob("*.svg")} == {each.name for each in charts(runs)}
    picture = Picture((tmp_path / "accuracy.svg").read_text())
    with Image.open(tmp_path / "accuracy.png") as image:
        assert image.size == tuple(2 * int(picture.root.get(side)) for side in ("width", "height"))
        red, green, blue = struct.unpack("3B", bytes.fromhex(COLOURS[1][1:]))
        for x, y in picture.line("Second")[0]:
            pixel = image.convert("RGB").getpixel((min(round(2 * x), image.width - 1), round(2 * y)))
            assert pixel == pytest.approx((red, green, blue), abs=12)


def test_png_without_a_browser_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    with pytest.raises(SpecError, match="none could be started"):
        png.write(Asked((source(),)), tmp_path)


def rects(picture: Picture, name: str) -> list[dict[str, float]]:
    """The bars of a trace."""
    (group,) = picture.traces(name)
    sides = ("x", "y", "width", "height")
    return [{side: float(each.get(side)) for side in sides} for each in group.iter(f"{SVG}rect")]


def test_bars_are_read_off_by_their_ticks_and_stand_at_their_names():
    run = source()
    picture = Picture(chart_of("weights-by-layer", run).svg())
    (a, first), *_, (b, last) = sorted(picture.axis("xaxis").items())
    layers = run.history.epochs[-1]["sparsity"]["layers"]
    group = next(each for each in picture.root.iter(f"{SVG}g") if each.get("data-axis") == "yaxis")
    names = {"".join(text.itertext()): float(text.get("y")) for text in group}
    assert list(names) == list(layers) and list(names.values()) == sorted(names.values())
    unit = (last - first) / (b - a)
    whole, zeros = rects(picture, "not zero"), rects(picture, "exactly 0")
    assert len(whole) == len(layers) > 1
    for (name, layer), bar in zip(layers.items(), whole, strict=True):
        count = round(layer["exact"] * layer["weights"])
        assert bar["width"] == pytest.approx(unit * (layer["weights"] - count), abs=0.1)
        assert bar["x"] == pytest.approx(first - unit * a, abs=0.1)
        assert bar["y"] < names[name] < bar["y"] + bar["height"]
        beside = [each for each in zeros if each["y"] == bar["y"]]
        assert [each["width"] for each in beside] == pytest.approx([unit * count] * bool(count), abs=0.1)
        assert [each["x"] for each in beside] == pytest.approx(
            [bar["x"] + bar["width"]] * bool(count), abs=0.1
        )
    assert set(picture.words("legend")) == {"not zero", "exactly 0"}


@pytest.mark.parametrize(("mode", "rows"), [("group", 2), ("overlay", 1), ("stack", 1)])
def test_upright_bars_stand_on_the_ground_beside_or_upon_each_other(mode, rows):
    bars = [
        {"type": "bar", "name": n, "x": ["a", "b"], "y": [i, 2.0]} for i, n in ((1.0, "one"), (3.0, "two"))
    ]
    picture = drawn(bars, plain_layout("y (%)") | {"barmode": mode})
    (low, at), *_, (high, top) = sorted(picture.axis("yaxis").items())
    unit = (at - top) / (high - low)
    found = {name: rects(picture, name) for name in ("one", "two")}
    assert [bar["height"] for bar in found["two"]] == pytest.approx([3 * unit, 2 * unit], abs=0.1)
    feet = [bar["y"] + bar["height"] for bar in found["two"]]
    ground = at + low * unit
    assert feet == pytest.approx(
        [ground - unit, ground - 2 * unit] if mode == "stack" else [ground] * 2, abs=0.1
    )
    assert len({bar["x"] for bars in found.values() for bar in bars}) == 2 * rows


@pytest.mark.parametrize(
    "bar",
    [
        {"x": ["a"], "y": [-1.0]},
        {"x": ["a"], "y": [1.0], "text": ["t"]},
        {"x": ["a"], "y": [1.0], "width": 2},
    ],
)
def test_bars_that_would_look_otherwise_are_refused(bar):
    with pytest.raises(NotImplementedError):
        drawn([{"type": "bar", "name": "n", **bar}])


def branch(before: int):
    """A run that branches after its parent's third epoch, with ``before`` runs before it."""
    told = [e | {"begins_at": 3 * 4, "begins_epoch": 3.0} if e["event"] == "started" else e for e in events()]
    return dataclasses.replace(source(told=told), before=(source().history,) * before)


def test_a_branch_has_its_parents_grey_line_on_accuracy_and_loss():
    alone, run = source(), branch(1)
    for name, of in (("accuracy", "validation_accuracy"), ("loss", "validation_loss")):
        picture = Picture(chart_of(name, run).svg())
        grey = picture.line("parent, validation")
        epochs = run.before[0].epochs
        assert grey and "grey: parent" in " ".join(
            "".join(each.itertext()) for each in picture.root.iter(f"{SVG}text")
        )
        ticks = sorted(picture.axis("xaxis").items())
        (a, first), (b, last) = ticks[0], ticks[-1]
        ends = first + (3 - a) / (b - a) * (last - first)  # solid until they part
        assert grey[0][-1][0] == pytest.approx(ends, abs=0.5) and len(grey[0]) == 3
        assert epochs[2][of] is not None
        assert "Grey: the run that it branches from." in chart_of(name, run).caption
        assert not Picture(chart_of(name, alone).svg()).line("parent, validation")
    assert "Grey" not in chart_of("sparsity", run).caption
