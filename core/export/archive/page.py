"""``index.html``: what a person sees of an archive who has no Augury. It needs no network and runs no script.

Everything that comes from a run is escaped, and the page's own policy lets nothing in but its one style sheet
and pictures that lie within the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any, NamedTuple

from core.export.charts import Chart
from core.run.errors import SpecError
from core.run.events import Event
from core.run.history import History
from core.run.spec import RunSpec
from core.text.describe import budget, in_words, title
from core.text.edits import edit_in_words, when_in_words
from core.text.run_figures import figures

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 1160px; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; }
.quiet { opacity: .75; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; }
.figures dt { opacity: .75; } .figures dd { margin: 0; }
.figures b { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
.charts figure { flex: 1 1 22rem; max-width: 47rem; } svg { width: 100%; height: auto; }
img { image-rendering: pixelated; max-width: 100%; min-height: 48px; }
pre { overflow: auto; padding: .75rem; border: 1px solid #8886; white-space: pre-wrap; }
@media print { body { margin: 0; } section { break-inside: avoid; } }
""".strip()
_POLICY = (
    "default-src 'none'; img-src data:; style-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)


class Shown(NamedTuple):
    """What the page tells of a run.

    Args:
        spec: completed.
        state, reason: how it ended.
        charts: of the run, with its name in their captions; none where no epoch has ended.
        strip: a PNG of the images that its own page shows; None: it kept none.
    """

    id: str
    spec: RunSpec
    history: History
    state: str
    reason: str
    created_at: float
    note: str
    tags: Sequence[str]
    charts: Sequence[Chart]
    strip: bytes | None


def page(runs: Sequence[Shown]) -> str:
    """The whole page."""
    name = title(runs[0].spec) if len(runs) == 1 else f"{len(runs)} runs"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{_text(name)} · Augury</title>",
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{_text(name)}</h1>",
            '<p class="quiet">An archive of Augury. <code>python -m core import ARCHIVE</code>, or '
            "<em>Import</em> on the Runs page, puts it back.</p>",
            *(_section(run, len(runs) > 1) for run in runs),
            "</body></html>\n",
        ]
    )


def _section(run: Shown, one_of_many: bool) -> str:
    begun = datetime.fromtimestamp(run.created_at, UTC)
    state = f"{run.state.capitalize()}. {run.reason}".strip()
    parts = [
        f"<h2>{_text(title(run.spec))}</h2>" if one_of_many else "",
        f"<p>{_text(in_words(run.spec))}<br>{_text(budget(run.spec))} · seed {run.spec.seed:d}</p>",
        f'<p class="quiet">{_text(state)} Begun on {begun:%Y-%m-%d} at {begun:%H:%M} UTC. Run '
        f"<code>{_text(run.id)}</code>.{_tags(run.tags)}</p>",
        f"<p>{_text(run.note)}</p>" if run.note else "",
        _figures(run.history),
        _charts(run, f"{run.id}-"),
        _strip(run),
        _edits(run),
        f"<details><summary>All settings</summary><pre>{_text(run.spec.to_json(indent=2), lines=True)}</pre>"
        "</details>",
    ]
    return "\n".join(["<section>", *filter(None, parts), "</section>"])


def _tags(tags: Sequence[str]) -> str:
    return f" Tags: {_text(', '.join(tags))}." if tags else ""


def _figures(history: History) -> str:
    """Each figure of the epoch that stands for the run, with its n, its interval and its definition."""
    if history.result is None:
        return "<p>No epoch has ended.</p>"
    said = "".join(
        f'<div title="{_text(each.help)}"><dt>{_text(each.label)}</dt>'
        f"<dd><b>{_text(each.value)}</b><br>{_text(each.sure)}</dd></div>"
        for each in figures(history.result, history.started)
        if each.value
    )
    which = f"After epoch {history.result['epoch']:d} of {len(history.epochs):d}"
    chosen = ", whose weights are saved: it was chosen on the same validation images" * history.is_chosen
    return (
        f'<p class="quiet">{which}{chosen}.</p><dl class="figures">{said}</dl><p class="quiet">Beneath an '
        "accuracy: how many of how many, and its 95 % interval for other images of the same kind (Wilson); "
        "beneath the gap Newcombe's.</p>"
    )


def _charts(run: Shown, key: str) -> str:
    figures = "".join(f"<figure>{chart.svg(key)}</figure>" for chart in run.charts)
    return f'<div class="charts">{figures}</div>' if figures else ""


def _strip(run: Shown) -> str:
    if run.strip is None:
        return ""
    picture = base64.b64encode(run.strip).decode()
    labels = _labels(run.history.started or {})
    return (
        f"<figure><figcaption>Some validation images</figcaption>"
        f'<img alt="{labels}" src="data:image/png;base64,{picture}"><br>{labels}</figure>'
    )


def _labels(started: Mapping[str, Any]) -> str:
    classes = started.get("classes", [])
    labels = started.get("strip", {}).get("labels", [])
    return _text(" · ".join(classes[label] if label < len(classes) else "?" for label in labels))


def _edits(run: Shown) -> str:
    if not run.history.edits:
        return ""
    said = "".join(f"<li>{_text(_edit(event, run.spec))}</li>" for event in run.history.edits)
    return f"<p>Changed while it ran:</p><ul>{said}</ul>"


def _edit(event: Event, spec: RunSpec) -> str:
    try:
        return f"{edit_in_words(event, spec)} ({when_in_words(event)})"
    except SpecError:  # of another version
        return when_in_words(event)


def _text(text: str, *, lines: bool = False) -> str:
    """Text as HTML, between tags or in an attribute: on one line, unless ``lines`` are kept."""
    return escape(text if lines else " ".join(text.split()))
