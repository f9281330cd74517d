"""The report: one page that is safe, whole by itself, and says of a run what its events say."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from exported_runs import source
from made_up_run import epoch_event, events

from core.__main__ import main
from core.catalogues import completed
from core.export.report.markup import element, joined, paragraphs
from core.export.report.mathml import math
from core.export.report.page import page
from core.export.source import Asked, open_sources
from core.measure.catalogue import MEASURES
from core.measure.compare import Judged, compare
from core.measure.counted import wilson
from core.models.dropout import DROPOUTS
from core.regularise.catalogue import REGULARISERS
from core.run.errors import SpecError
from core.run.spec import parse
from core.store.store import Store, StoredRun
from core.text.describe import objective

HOSTILE = "</p><script>alert(1)</script><img src=x onerror=alert(1)> & \"'\x00\u202e"
FORMULAS = {
    f"{kind}:{entry.name}": entry.formula
    for kind, catalogue in (("r", REGULARISERS), ("m", MEASURES), ("d", DROPOUTS))
    for entry in catalogue.values()
}
MATHML = {
    "math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "mstyle", "msqrt", "msub", "msup",
    "msubsup", "munder", "mover", "munderover",
}  # fmt: skip


class Read(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, its text, its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "rect", "line", "circle", "path"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data + (" " if "small" not in self.open else "")

    def cells(self, first: str) -> list[str]:
        """The rest of the row that begins so."""
        return next(
            [each.strip() for each in row[1:]] for row in self.rows if row and row[0].strip() == first
        )


def read(*runs, **asked) -> Read:
    return Read(page(Asked(runs or (source(),), asked.pop("text", {}), asked.pop("link", ""))))


def judged(clean: float = 0.9, of: int = 40, validation: float = 0.75, **settings):
    """A run that says how it did on clean training images, and which validation images it named."""
    told = events()
    right = f"{(1 << round(20 * validation)) - 1:06x}"
    more = {"clean_accuracy": clean, "clean_images": of, "clean_loss": 0.3, "validation_accuracy": validation}
    told = [each | more | {"right": right} if each["event"] == "epoch" else each for each in told]
    return source(told=told, **settings)


def test_figures_are_the_runs_with_n_and_interval():
    told = read(judged())
    low, high = wilson(15, 20)
    assert told.cells("Validation accuracy") == [f"75.0 % 15 of 20; {100 * low:.0f}–{100 * high:.0f} %"]
    last = epoch_event(6)
    assert told.cells("Validation loss")[0].startswith(f"{last['validation_loss']:.3f}")
    exact = last["sparsity"]["exact"]
    assert [f"{100 * exact:.1f} % of 712 weights"] in (
        [c.strip() for c in row[1:]] for row in told.rows if row
    )
    assert told.cells("whole network") == [f"{100 * exact:.1f} % of 712"]
    for name, layer in last["sparsity"]["layers"].items():
        assert told.cells(name) == [f"{100 * layer['exact']:.1f} % of {layer['weights']:,}"]


def test_several_runs_are_compared_in_figures_and_in_a_sentence():
    more = {"id": "b" * 32, "name": "Second", "settings": {"regularisers": []}}
    runs = judged(name="First"), judged(validation=0.5, **more)
    told = read(*runs)
    first, second = told.cells("1. First run aaaaaaaa"), told.cells("2. Second run bbbbbbbb")
    low, high = wilson(15, 20)
    assert first[0].split() == f"75.0 % · highest 15 of 20; {100 * low:.0f}–{100 * high:.0f} %".split()
    assert "highest" not in second[0] and second[0].startswith("50.0 %")
    right = [run.history.result["right"] for run in runs]
    found = compare(Judged(10, 20, right[1]), Judged(15, 20, right[0]), same_images=True)
    ends = " to ".join(f"{100 * end:.1f}".replace("-", "−") for end in (found.low, found.high))
    assert f"validation accuracy 25.0 points lower than “First” (95 %: {ends})" in told.text
    assert "this run names 5 wrongly that “First” names correctly, and 0 the other way round" in told.text
    assert told.cells("Regularisers") == ["L1 (lasso), L2 in the loss (ridge)", "none"]


def test_what_a_person_wrote_stands_there_as_letters():
    text = {"question": f"One\nTwo\n\nThree {HOSTILE}", "conclusion": HOSTILE, "author": HOSTILE}
    run = source(name="<script>alert(1)</script>")
    whole = page(Asked((run,), text, "javascript:alert(1)"))
    told = Read(whole)
    assert "script" not in {tag for tag, _ in told.elements} and "img" not in {
        tag for tag, _ in told.elements
    }
    assert not any(name.startswith("on") for _, about in told.elements for name in about)
    assert told.text.count("<img src=x onerror=alert(1)>") == 3
    assert "\x00" not in whole and "\u202e" not in whole
    assert "<p>One<br>Two</p><p>Three" in whole
    hrefs = [about["href"] for tag, about in told.elements if tag == "a"]
    assert hrefs and all(href.startswith("data:") for href in hrefs) and "javascript:alert(1)" in told.text


def test_a_link_to_the_page_is_one():
    link = "http://example.org/Train?run=a&b=<"
    hrefs = [about.get("href") for tag, about in read(link=link).elements if tag == "a"]
    assert hrefs[0] == link


def test_it_fetches_nothing_runs_nothing_and_says_so_to_the_browser():
    whole = page(Asked((source(),)))
    told = Read(whole)
    policy = next(about["content"] for tag, about in told.elements if about.get("http-equiv"))
    style = re.search("<style>(.*?)</style>", whole, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';") and f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy and "url(h" not in whole and "@import" not in whole
    for tag, about in told.elements:
        assert not {"src", "srcset", "style", "background", "action"} & set(about), tag
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
    ids = [about["id"] for _, about in told.elements if "id" in about]
    assert len(ids) == len(set(ids)) > 0


def test_what_was_changed_is_told_with_its_step():
    told = events()
    edit = {
        "event": "edit",
        "step": 8,
        "epoch": 2.0,
        "set": {"optimiser.lr": 0.01},
        "was": {"optimiser.lr": 1e-3},
    }
    changed = read(source(told=[*told[:-2], edit, *told[-2:]]))
    assert changed.cells("after step 8, epoch 2.00") == ["learning rate 0.001 → 0.01"]
    assert "--edits augury-aaaaaaaa-changes.json" in changed.text
    assert "Changed while" not in read().text


def test_a_run_that_was_stopped_and_what_it_warned_of_are_not_left_out():
    told = [*events()[:-2], {"event": "state", "state": "stopped", "reason": "Stopped by its owner."}]
    told[1] = told[1] | {"notes": ["3 images could not be <read>."]}
    text = read(source(told=told)).text
    assert "its state is “stopped”, after 6 of 6 epochs" in text and "Stopped by its owner." in text
    assert "3 images could not be <read>." in text
    with pytest.raises(SpecError, match="No epoch of it has ended"):
        page(Asked((source(told=told[:2]),)))


def test_it_tells_of_the_formulas_that_were_used_and_of_no_others():
    run = source()
    told = read(run)
    assert "L1 (lasso), λ = " in told.text and "Group lasso" not in told.text
    of = [about for tag, about in told.elements if tag == "math"]
    assert len(of) >= 1 and REGULARISERS["l1"].source in told.text and "hinge" not in told.text


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
def test_every_formula_of_the_catalogues_becomes_mathml(formula):
    made = math(formula)
    root = ElementTree.fromstring(made)
    assert {each.tag for each in root.iter()} <= MATHML
    text = "".join(root.itertext())
    assert "\\" not in text and "{" not in text.replace("{i", "").replace("{g", "")
    for each in root.iter():
        wanted = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
        assert len(each) == wanted.get(each.tag, len(each)), ElementTree.tostring(each)


def test_formulas_have_the_shape_that_they_are_written_in():
    assert math(r"\tfrac{\lambda}{2} \lVert w \rVert_2^2") == (
        '<math display="block"><mrow><mstyle displaystyle="false"><mfrac><mrow><mi>λ</mi></mrow><mrow>'
        '<mn>2</mn></mrow></mfrac></mstyle><mo stretchy="false">‖</mo><mi>w</mi><msubsup>'
        '<mo stretchy="false">‖</mo><mn>2</mn><mn>2</mn></msubsup></mrow></math>'
    )
    assert "<msub><mover" in math(r"\tilde h_j") and "<munderover><mo" in math(r"\sum_{i=1}^n x_i")
    spec = completed(parse({"regularisers": [{"kind": "l1"}, {"kind": "group_lasso"}]}))
    assert "<mtext>Group\N{NO-BREAK SPACE}lasso</mtext>" in math(objective(spec))


@pytest.mark.parametrize("latex", [r"\input{x}", "{a", r"\frac{a}", "a}", r"\text a", "a_", r"\left"])
def test_a_formula_that_is_not_known_is_refused(latex):
    with pytest.raises(NotImplementedError):
        math(latex)


def test_text_is_escaped_and_markup_is_not():
    assert (
        joined(["<", element("b", "&", class_="x", data_y='"')])
        == '&lt;<b class="x" data-y="&quot;">&amp;</b>'
    )
    assert paragraphs("a\r\nb\n\n\n<c>") == "<p>a<br>b</p><p>&lt;c&gt;</p>"
    assert paragraphs(" \n ") == ""


def test_its_files_repeat_the_run(tmp_path):
    run = source()
    links = [about for tag, about in read(run).elements if tag == "a"]
    held = {about["download"]: base64.b64decode(about["href"].partition(",")[2]).decode() for about in links}
    assert parse(held["augury-aaaaaaaa.json"]) == run.spec
    rows = list(csv.DictReader(io.StringIO(held["augury-aaaaaaaa.csv"])))
    assert [float(row["validation_loss"]) for row in rows] == [
        e["validation_loss"] for e in run.history.epochs
    ]


def test_a_run_of_the_store_has_its_day_its_note_and_its_digest(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    store = Store()
    spec = source().spec
    store.create("c" * 32, spec, 1_700_000_000.0, digest="d" * 64)
    store.append("c" * 32, list(enumerate(events(), 1)))
    store.annotate("c" * 32, note="Try <more> of it")
    store.set_state("c" * 32, "finished")
    store.close()
    out = tmp_path / "r.html"
    told = ["--question", "Why?", "--conclusion", "So.", "--author", "Ada"]
    assert main(["export", "cccccc", "--as", "report", "--out", str(out), *told]) == 0
    text = Read(out.read_text(encoding="utf-8")).text
    assert (
        "Trained on 14 November 2023" in text
        and "Try <more> of it" in text
        and "Why?" in text
        and "Ada" in text
    )
    (run,) = open_sources(["c" * 32])
    assert isinstance(run.stored, StoredRun) and run.stored.digest_with([]) in text
    branch = replace(run, stored=run.stored.model_copy(update={"inputs": {"parent": "e" * 32, "step": 40}}))
    assert "goes on from run eeeeeeee after step 40" in Read(page(Asked((branch,)))).text


def test_eight_runs_are_one_page():
    runs = [judged(id=f"{i}" * 32, name=f"Run {i}", settings={"seed": i}) for i in range(8)]
    told = read(*runs)
    assert len([tag for tag, _ in told.elements if tag == "svg"]) == 4
    assert told.cells("Seed") == [str(i) for i in range(8)]
