"""What L1, L2 and elastic net do to one weight, at the strength, learning rate and optimiser chosen."""

from __future__ import annotations

import json

import streamlit as st

from core.figures import shrinkage as figures
from core.optimise.catalogue import OPTIMISERS
from core.regularise.catalogue import REGULARISERS
from core.run.spec import RunSpec
from pages.components.live_chart import live_chart

HEIGHT = 280


def one_weight(spec: RunSpec, num_images: int) -> None:
    """Draw the panel for a completed spec; nothing if no such penalty is chosen, or if no proximal step goes
    with the optimiser.

    Args:
        num_images: of the whole dataset.
    """
    chosen = [(REGULARISERS[each.kind], each) for each in spec.regularisers if each.strength]
    shown = [
        (entry, each, entry.l1_share(each.params)) for entry, each in chosen if entry.l1_share is not None
    ]
    if not shown or not OPTIMISERS[spec.optimiser.kind].proximal:
        return
    _, regulariser, _ = shown[0]
    assert regulariser.strength is not None
    kept = round(num_images * (1 - spec.data.validation_share))
    steps = -(-min(spec.data.train_images or kept, kept) // spec.train.batch_size) * spec.train.epochs
    pulled = figures.pull(regulariser.strength, spec.optimiser, steps)
    ratio = next((share for entry, _, share in shown if entry.parameters), 0.5)  # one that may be chosen
    st.subheader("What it does to one weight", anchor=False)
    divides = f" {OPTIMISERS[spec.optimiser.kind].title} divides by the usual size of a weight's "
    divides += f"gradient; here that is {figures.USUAL_GRADIENT:g}."
    st.caption(
        f"A sketch: a weight that the data does not pull at, at λ = {regulariser.strength:g} and learning "
        f"rate {spec.optimiser.lr:g}, both at full strength throughout, without momentum and noise."
        + (divides if OPTIMISERS[spec.optimiser.kind].divides else "")
    )
    left, right = st.columns(2, gap="large")
    with left:
        # Its curves are those of proximal steps, whatever the form says.
        by_penalty = any(each.solver == "penalty" and "proximal" in entry.solvers for entry, each, _ in shown)
        by = " with `proximal`" if by_penalty else " of this run"
        st.markdown(f"**After the {steps:,} steps{by}**")
        live_chart(
            json.dumps(figures.after_the_run(pulled, ratio)),
            key="weight.after",
            height=HEIGHT,
            alt="Curves: a weight after the run against the weight before; L1 is flat at zero, L2 never.",
        )
        st.markdown(
            f"A proximal step of L1 takes {pulled.a_step:.2g} off, so weights up to **{pulled.a_run:.2g}** "
            "end at exactly 0. L2 takes a share, which shrinks with the weight, so none does."
        )
    with right:
        st.markdown("**Close to zero, step by step: why `penalty` gives no zeros**")
        live_chart(
            json.dumps(figures.near_zero(pulled)),
            key="weight.near",
            height=HEIGHT,
            alt="Two lines: under penalty a weight hops over zero for ever; under proximal it stays at zero.",
        )
        st.markdown(
            "`penalty` follows the slope of |w|, which is +λ or −λ and never less: steps are about "
            f"{pulled.a_step:.2g} long, so the weight hops over 0 and back. `proximal` stops at 0."
        )
