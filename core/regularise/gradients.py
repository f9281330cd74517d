"""Entries that change the gradient which the optimiser follows: where it is taken, and how long it may be."""

from __future__ import annotations

from core.catalogue import Number
from core.regularise.entry import RegulariserEntry
from core.run.spec import RegulariserSpec


def _sharpness_note(spec: RegulariserSpec, num_classes: int, epochs: int) -> str:
    return (
        "Each step goes through the network twice, forward and backward, so it takes up to twice as long; "
        "the training loss is that of the first pass."
    )


def _clipping_note(spec: RegulariserSpec, num_classes: int, epochs: int) -> str:
    return "The gradients shown are those after clipping."


GRADIENTS: tuple[RegulariserEntry, ...] = (
    RegulariserEntry(
        name="sam",
        title="Sharpness-aware minimisation (SAM)",
        help="Takes the gradient not at the weights but at the highest loss within a distance ρ of them, so "
        "that training seeks flat valleys; it goes through the network twice a step.",
        source="Foret, Kleiner, Mobahi & Neyshabur 2021, arXiv 2010.01412",
        formula=r"g \leftarrow \nabla L(w + \varepsilon), \quad \varepsilon = \rho\, \tfrac{\nabla L(w)}"
        r"{\lVert \nabla L(w) \rVert_2}",
        effect="Weights settle where the loss stays low all around; none is pulled to zero. Each step goes "
        "through the network twice, so it takes up to twice as long.",
        default_strength=0.05,
        strength_low=1e-3,
        strength_high=1.0,
        strength_max=10.0,
        symbol="ρ",
        strength_help="How far from the weights the highest loss is looked for: the length of the way there.",
        on_weights=False,
        passes=2,
        note=_sharpness_note,
        makes="core.regularise.sharpness:SharpnessAware",
    ),
    RegulariserEntry(
        name="clipping",
        title="Gradient clipping (by norm)",
        help="Shortens the gradient, of all that is trained together, to a largest length, so that one odd "
        "batch can't throw the weights far.",
        source="Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063",
        parameters=(
            Number(
                "norm",
                1.0,
                1e-3,
                1e3,
                "The longest that the gradient may be; a longer one keeps its direction.",
                scale="log",
            ),
        ),
        formula=r"g \leftarrow g \cdot \min\left(1, \tfrac{c}{\lVert g \rVert_2}\right)",
        effect="Steps after a steep batch are shorter. SGD feels it most; Adam divides by the gradient's "
        "size anyway, and feels only how that changes from batch to batch.",
        note=_clipping_note,
        makes="core.regularise.clipping:GradientClipping",
    ),
)
