"""The kinds of dropout: regularisers that are part of an architecture, each a setting of those that have it.

Whatever is kept is scaled up, by 1/(1 − p), so that the mean stays as it is and nothing has to be scaled
where the network is only used.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.catalogue import Entry
from core.run.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class DropoutEntry(Entry):
    """A kind of dropout; its name is that of the architectures' parameter, which has the bounds.

    Args:
        formula: KaTeX, with p the share that is dropped.
        effect: one sentence: what it does to weights.
    """

    formula: str
    effect: str


DROPOUTS: dict[str, DropoutEntry] = {
    entry.name: entry
    for entry in (
        DropoutEntry(
            name="dropout",
            title="Dropout (of units)",
            help="Silences units at random in each training step.",
            source="Srivastava et al. 2014, Journal of Machine Learning Research 15, section 4; scaled in "
            "training, section 10",
            formula=r"\tilde h_j = \tfrac{m_j}{1 - p}\, h_j, \quad m_j \sim \mathrm{Bernoulli}(1 - p)",
            effect="No unit can count on another, so what is known is spread over many weights; none becomes "
            "zero.",
        ),
        DropoutEntry(
            name="channel_dropout",
            title="Dropout of whole channels",
            help="Silences whole maps of a convolution at random in each training step: neighbouring pixels "
            "are so alike that dropping single ones hides little.",
            source="Tompson et al. 2014, arXiv 1411.4280, section 3.2",
            formula=r"\tilde x_{cij} = \tfrac{m_c}{1 - p}\, x_{cij}, \quad "
            r"m_c \sim \mathrm{Bernoulli}(1 - p)",
            effect="No filter can count on another, so several learn to see what matters; no weight becomes "
            "zero.",
        ),
        DropoutEntry(
            name="drop_path",
            title="Stochastic depth",
            help="Skips residual branches at random, for each image by itself: training runs through "
            "networks of all depths up to the whole.",
            source="Huang et al. 2016, arXiv 1603.09382, section 3",
            formula=r"x_{\ell + 1} = x_\ell + \tfrac{m_\ell}{1 - p_\ell}\, f_\ell(x_\ell), \quad "
            r"m_\ell \sim \mathrm{Bernoulli}(1 - p_\ell), \quad p_\ell = \tfrac{\ell}{L}\, p",
            effect="No block can count on the one before it, so each learns to add a little to what is "
            "there; no weight becomes zero.",
        ),
    )
}


def dropouts(spec: ModelSpec) -> list[tuple[DropoutEntry, float]]:
    """Those that a completed spec uses, each with its share in (0, 0.9]."""
    shares = ((entry, spec.params.get(name)) for name, entry in DROPOUTS.items())
    return [(entry, float(share)) for entry, share in shares if isinstance(share, int | float) and share]
