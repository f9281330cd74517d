"""The page as a whole: what a person asked and found, what was trained, what came out, how to repeat it."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from core.export.charts import charts
from core.export.names import short_id, versions_of
from core.export.report import one, several
from core.export.report.markup import Markup, element, joined, paragraphs, small
from core.export.report.mathml import math
from core.export.report.repeat import how_to_repeat
from core.export.source import Asked, Source
from core.models.dropout import DROPOUTS, dropouts
from core.regularise.catalogue import REGULARISERS
from core.text.definitions import DEFINITIONS
from core.text.describe import objective
from core.text.seeds import called

CSS = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
# Of one run these are drawn; of several all are, which are few.
CHARTS = ("accuracy", "loss", "sparsity", "confusion")


def page(asked: Asked) -> str:
    """The report as one HTML document.

    Raises:
        SpecError: no epoch of these runs has ended.
    """
    runs, names = asked.runs, called([run.spec for run in asked.runs])
    title = names[0] if len(runs) == 1 else f"{len(runs)} runs compared"
    alone = len(runs) == 1
    parts = [
        element("h1", title),
        _about(asked),
        *_written("Question", asked.text.get("question", "")),
        element("h2", "What was trained"),
        *(one.settings(runs[0]) if alone else several.settings(runs, names)),
        *_changes(runs, names),
        element("h2", "What came out"),
        *(one.results(runs[0]) if alone else several.results(runs, names)),
        *_charts(runs),
        element("h2", "Sparsity by layer"),
        several.sparsity(runs, names),
        *_written("Conclusion", asked.text.get("conclusion", "")),
        element("h2", "Formulas"),
        *_formulas(runs),
        element("h2", "Definitions"),
        element("dl", *(joined([element("dt", of), element("dd", is_)]) for of, is_ in DEFINITIONS.items())),
        element("h2", "How to repeat it"),
        *(part for run, name in zip(runs, names, strict=True) for part in how_to_repeat(run, name)),
    ]
    return f"<!doctype html>\n{element('html', _head(title), element('body', *parts), lang='en')}\n"


def _head(title: str) -> Markup:
    """Nothing is fetched and nothing runs: the browser is told to see to that."""
    style = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="viewport", content="width=device-width"),
        element("title", f"{title} · Augury"),
        element("style", Markup(CSS)),
    )


def _about(asked: Asked) -> Markup:
    """Who, when, by which versions, and where the page is that this was taken from."""
    author = asked.text.get("author", "").strip()
    days = sorted({_day(run.stored.created_at) for run in asked.runs if run.stored})
    made_by = sorted({f"{name} {said}" for run in asked.runs for name, said in versions_of(run).items()})
    trained = f"Trained on {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}" if days else ""
    which = ", ".join(short_id(run) for run in asked.runs)
    said = [trained, f"{'Run' if len(asked.runs) == 1 else 'Runs'} {which}", ", ".join(made_by)]
    lines = [element("p", element("strong", author))] if author else []
    lines.append(element("p", " · ".join(filter(None, said))))
    if asked.link:
        lines.append(element("p", _link(asked.link)))
    return element("div", *lines, class_="about")


def _link(link: str) -> Markup:
    """As a link if it is a web page's, else as plain text."""
    try:
        is_page = urlsplit(link).scheme in ("http", "https")
    except ValueError:
        is_page = False
    return element("a", link, href=link, rel="noreferrer") if is_page else joined([link])


def _day(seconds: float) -> str:
    return time.strftime("%d %B %Y", time.gmtime(seconds)).lstrip("0")


def _written(heading: str, text: str) -> list[Markup]:
    """What a person wrote; an empty frame to write into on paper, if nothing."""
    written = paragraphs(text)
    box = element("div", written, class_="written") if written else element("div", "", class_="blank")
    return [element("h2", heading), box]


def _changes(runs: Sequence[Source], names: Sequence[str]) -> Iterator[Markup]:
    if not any(run.history.edits for run in runs):
        return
    yield element("h3", "Changed while it ran" if len(runs) == 1 else "Changed while they ran")
    for run, name in zip(runs, names, strict=True):
        if run.history.edits:
            yield from [] if len(runs) == 1 else [element("p", f"{name}:")]
            yield one.changes(run)


def _charts(runs: Sequence[Source]) -> Iterator[Markup]:
    for chart in charts(runs):
        if len(runs) > 1 or chart.name in CHARTS:
            yield element("figure", Markup(chart.svg()))


def _formulas(runs: Sequence[Source]) -> Iterator[Markup]:
    """What each run minimises, and of each regulariser what it is, once."""
    known = [run for run in runs if all(each.kind in REGULARISERS for each in run.spec.regularisers)]
    seen = dict.fromkeys(objective(run.spec) for run in known)
    yield element(
        "p", "What is minimised:" if len(seen) == 1 else "What is minimised, each in some of the runs:"
    )
    yield from map(_formula, seen)
    yield small("CE is the cross-entropy of the network's answer f(x) with weights w and the label y.")
    for kind in dict.fromkeys(each.kind for run in known for each in run.spec.regularisers):
        entry = REGULARISERS[kind]
        used_so = [each for run in known for each in run.spec.regularisers if each.kind == kind]
        strengths = dict.fromkeys(each.strength for each in used_so)
        values = " and ".join(f"{each:g}" for each in strengths if each is not None)
        yield element("h3", f"{entry.title}{f', {entry.symbol} = {values}' if values else ''}")
        yield from [] if entry.solvers else [_formula(entry.formula)]
        yield element("p", " ".join(dict.fromkeys(entry.effect_by(each.solver) for each in used_so)))
        yield small(f"{entry.source}.")
    shares: dict[str, dict[float, None]] = {}
    for used in (each for run in runs for each in dropouts(run.spec.model)):
        shares.setdefault(used[0].name, {})[used[1]] = None
    for name, each_share in shares.items():
        dropout = DROPOUTS[name]
        yield element("h3", f"{dropout.title}, p = {' and '.join(f'{share:g}' for share in each_share)}")
        yield _formula(dropout.formula)
        yield element("p", f"{dropout.help} {dropout.effect}")
        yield small(f"{dropout.source}.")


def _formula(latex: str) -> Markup:
    """As it is read; as it is written, if a new entry uses LaTeX that is not known."""
    try:
        return math(latex)
    except NotImplementedError:
        return element("pre", latex)
