"""The measures of sparsity: what each says of a network, by which formula, from which source.

All are of the weights of `core.layers.weights`; biases and norm layers are left out. No single one is
the truth: counts depend on a bound, Hoyer and Gini on how the other weights are spread, bytes on a format.

A new measure is an entry whose `computes` names a function. Where that is empty, several figures come from
one pass over the weights, which `core.measure.weight_measures` makes.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.catalogue import Entry
from core.measure.near import NEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureEntry(Entry):
    """A measure. ``help`` is its definition in one sentence; the name is its key in an event.

    Args:
        formula: KaTeX.
        unit: of the figure; empty for one that is 0 to 1 and no share.
        rises: whether a sparser network has a larger figure; None: it is the same for all.
        within: the part of an event's ``sparsity`` that holds it: ``bytes`` or ``groups``; empty: none.
        thorough: whether it takes longer to measure, and so comes more rarely.
        computes: the path of a function from a layer's weights, a list of matrices and filters, to the
            figure; one that is not finite counts as not measured.
        adds: whether the whole network's figure is the sum of its layers', rather than that of all their
            weights together.
    """

    formula: str
    unit: str
    rises: bool | None
    within: str = ""
    thorough: bool = False
    computes: str = ""
    adds: bool = False


MEASURES: dict[str, MeasureEntry] = {
    entry.name: entry
    for entry in (
        MeasureEntry(
            name="exact",
            title="Exact zeros",
            help="The share of weights that are exactly 0.0: they can be left out and nothing changes.",
            formula=r"\tfrac{1}{n} \left| \{ i : w_i = 0 \} \right|",
            unit="% of weights",
            source="The l⁰ measure of Hurley & Rickard 2009, arXiv 0811.4706, table I",
            rises=True,
        ),
        MeasureEntry(
            name="near",
            title=f"Near zero, |w| < {NEAR:g}",
            help=f"The share of weights with |w| < ε, here {NEAR:g}, exact zeros among them; ε is a choice, "
            "and without it the figure means nothing; a run has a dial for it under Sparsity, Weights.",
            formula=r"\tfrac{1}{n} \left| \{ i : |w_i| < \varepsilon \} \right|",
            unit="% of weights",
            source="The l⁰ε measure of Hurley & Rickard 2009, arXiv 0811.4706, table I",
            rises=True,
        ),
        MeasureEntry(
            name="prunable",
            title="Prunable share",
            help="A share of weights, the smallest of all layers together, that can be set to zero while the "
            "mean probability of the correct class falls by at most 2 points on the validation images; found "
            "by bisection, so a larger one may pass too; its 95 % interval says how far other images of the "
            "same sort would move it, and a layer's figure is the share of its weights that go with them.",
            formula=r"s \text{ with } \tfrac{1}{N} \sum_{i=1}^{N} \Bigl( p_w(y_i \mid x_i) - "
            r"p_{w \cdot [\,|w| > q_s\,]}(y_i \mid x_i) \Bigr) \le 0.02",
            unit="% of weights",
            source="Pruning by magnitude: Han et al. 2015, arXiv 1506.02626; found by bisection",
            rises=True,
        ),
        MeasureEntry(
            name="filters",
            title="Zero filters",
            help="The filters of convolutions whose weights are all exactly 0.0, so that each puts out the "
            "same for every image and could be taken out with its channel: all of them, or all but one a "
            "layer where they still put out a constant (a bias, or the shift of a norm).",
            formula=r"\left| \{ g : \lVert w_g \rVert_2 = 0 \} \right|",
            unit="filters",
            source="Wen et al. 2016, arXiv 1608.03665",
            rises=True,
            within="groups",
        ),
        MeasureEntry(
            name="neurons",
            title="Zero neurons",
            help="The units of dense and recurrent layers whose weights are all exactly 0.0: one of a dense "
            "layer puts out the same for every image and could be taken out, unless it writes into an "
            "attention network's tokens; one of an LSTM or GRU with biases still changes from row to row, "
            "alike for all images.",
            formula=r"\left| \{ g : \lVert w_g \rVert_2 = 0 \} \right|",
            unit="neurons",
            source="Scardapane et al. 2017, arXiv 1607.00485",
            rises=True,
            within="groups",
        ),
        MeasureEntry(
            name="heads",
            title="Zero heads",
            help="The attention heads whose own weights are all exactly 0.0: queries, keys, values and the "
            "way out.",
            formula=r"\left| \{ g : \lVert w_g \rVert_2 = 0 \} \right|",
            unit="heads",
            source="Michel, Levy & Neubig 2019, arXiv 1905.10650",
            rises=True,
            within="groups",
        ),
        MeasureEntry(
            name="hoyer",
            title="Hoyer",
            help="How few weights carry the whole, by the ratio of two norms: 0 if all are equally large, 1 "
            "if all but one are zero; scaling all of them changes nothing.",
            formula=r"\frac{\sqrt{n} - \lVert w \rVert_1 / \lVert w \rVert_2}{\sqrt{n} - 1}",
            unit="",
            source="Hoyer 2004, Journal of Machine Learning Research 5, section 3.1",
            rises=True,
        ),
        MeasureEntry(
            name="gini",
            title="Gini index",
            help="How unequally size is shared among the weights, as economists ask of income: 0 if all are "
            "equally large, near 1 if a few have everything.",
            formula=r"1 - 2 \sum_{k=1}^{n} \frac{|w|_{(k)}}{\lVert w \rVert_1} \cdot \frac{n - k + 1/2}{n}",
            unit="",
            source="Hurley & Rickard 2009, arXiv 0811.4706",
            rises=True,
            thorough=True,
        ),
        MeasureEntry(
            name="effective_rank",
            title="Effective rank",
            help="How many directions a layer's matrix really uses, by the entropy of its singular values; "
            "filters are read as one row each, and ranks of several matrices add up; at most as many as a "
            "layer has rows or columns, whichever are fewer.",
            formula=r"\exp\Bigl( -\sum_i p_i \ln p_i \Bigr), \quad p_i = \tfrac{\sigma_i}{\sum_j \sigma_j}",
            unit="dimensions",
            source="Roy & Vetterli 2007, The effective rank: a measure of effective dimensionality",
            rises=False,
            thorough=True,
            computes="core.measure.concentration:effective_ranks",
            adds=True,
        ),
        MeasureEntry(
            name="dense",
            title="Dense storage",
            help="The weights as they lie in memory, 4 bytes each, zeros too.",
            formula=r"4n",
            unit="bytes",
            source="float32, IEEE 754",
            rises=None,
            within="bytes",
        ),
        MeasureEntry(
            name="sparse",
            title="Sparse storage",
            help="Compressed sparse rows: for each weight that is not zero its value and its column's "
            "number, and for each row where it begins; each number takes as few bytes (c and p: 1, 2 or 4) "
            "as will do.",
            formula=r"\textstyle\sum_{\text{matrices}} \mathrm{nnz}\,(4 + c) + (\mathrm{rows} + 1)\,p",
            unit="bytes",
            source="Saad 2003, Iterative methods for sparse linear systems, section 3.4",
            rises=False,
            within="bytes",
        ),
        MeasureEntry(
            name="gzip",
            title="Gzipped storage",
            help="The dense bytes as a gzip file in which runs are short: zeros nearly vanish, other weights "
            "hardly shrink.",
            formula=r"\left| \mathrm{gzip}(w) \right|",
            unit="bytes",
            source="DEFLATE, RFC 1951; as in Han et al. 2016, arXiv 1510.00149, for what a file takes",
            rises=False,
            within="bytes",
            thorough=True,
        ),
    )
}
