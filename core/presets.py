"""Named specs that show one thing each; a click on the landing page starts one."""

from __future__ import annotations

from dataclasses import dataclass

from core.run.errors import SpecError, no_such
from core.run.spec import (
    AugmentSpec,
    DataSpec,
    ModelSpec,
    OpSpec,
    OptimiserSpec,
    RegulariserSpec,
    RunSpec,
    TrainSpec,
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A spec, and one sentence that says what to watch when it runs."""

    name: str
    title: str
    watch: str
    spec: RunSpec


# Digits are read the same when shifted, turned a little or partly hidden; a flip would change them.
_GENTLE = AugmentSpec(
    ops=(
        OpSpec(
            op="RandomAffine",
            p=1.0,
            params={"degrees": [-12, 12], "translate": 0.08, "scale": [0.9, 1.1], "shear": [-5, 5]},
        ),
        OpSpec(op="RandomErasing", p=0.25, params={"scale": [0.02, 0.12]}),
    )
)
# λ rises over most of the run: at full strength from the first step it kills the network.
_SPARSE = RegulariserSpec(kind="l1", strength=1e-3, solver="proximal", warmup_epochs=12)

# Few images, and nothing that keeps a network from learning each of them.
_BY_HEART = RunSpec(
    name="It learns by heart",
    data=DataSpec(train_images=300),
    model=ModelSpec(arch="cnn", params={"dropout": 0}),
    optimiser=OptimiserSpec(kind="adam", lr=1e-3),
    train=TrainSpec(epochs=30),
)

_ALL = (
    Preset(
        "baseline",
        "Baseline",
        "All 4,000 digits, with dropout and weight decay: validation keeps up, and no weight is zero.",
        RunSpec(name="Baseline"),
    ),
    Preset(
        "by-heart",
        "It learns by heart",
        "300 digits, no dropout, no decay: clean train reaches 100 %, validation stays behind. That gap is "
        "what was learned by heart.",
        _BY_HEART,
    ),
    Preset(
        "by-heart-augmented",
        "Never the same digit twice",
        "The same 300 digits and the same 30 epochs, but moved a little each time: the gap shrinks, and "
        "validation loss falls by a quarter or more.",
        _BY_HEART.model_copy(update={"name": "Never the same digit twice", "augment": _GENTLE}),
    ),
    Preset(
        "augmented",
        "Augmented",
        "Every image is turned and shifted anew, one in four partly hidden: harder to learn by heart, better "
        "on new digits.",
        RunSpec(name="Augmented", augment=_GENTLE, train=TrainSpec(epochs=15)),
    ),
    Preset(
        "l1-sparse",
        "L1 makes it sparse",
        "Proximal L1 sets most weights to exactly zero while validation accuracy holds.",
        RunSpec(
            name="L1 makes it sparse",
            regularisers=(_SPARSE,),
            optimiser=OptimiserSpec(kind="adam", lr=2e-3, schedule="cosine"),
            train=TrainSpec(epochs=20),
        ),
    ),
    Preset(
        "l1-sparsest",
        "L1, nineteen in twenty",
        "λ rises over 28 of 40 epochs, so what is left has time to learn to do without the rest.",
        RunSpec(
            name="L1, nineteen in twenty",
            regularisers=(RegulariserSpec(kind="l1", strength=1.1e-3, solver="proximal", warmup_epochs=28),),
            optimiser=OptimiserSpec(kind="adam", lr=2e-3, schedule="cosine"),
            train=TrainSpec(epochs=40),
        ),
    ),
    Preset(
        "mlp-sparse",
        "LeNet-300-100, sparse",
        "No convolutions: the classic of pruning papers keeps one weight in twenty-five.",
        RunSpec(
            name="LeNet-300-100, sparse",
            model=ModelSpec(arch="mlp"),
            regularisers=(RegulariserSpec(kind="l1", strength=9e-4, solver="proximal", warmup_epochs=40),),
            optimiser=OptimiserSpec(kind="adam", lr=3e-3, schedule="cosine"),
            # Not the usual 128: a quarter less time for as many epochs, and no worse at the end.
            train=TrainSpec(epochs=60, batch_size=256),
        ),
    ),
    Preset(
        "group-lasso",
        "Whole filters go",
        "The group lasso zeroes whole filters and neurons: taking them out would make the network smaller "
        "and faster.",
        RunSpec(
            name="Whole filters go",
            regularisers=(
                RegulariserSpec(kind="group_lasso", strength=6e-4, solver="proximal", warmup_epochs=20),
            ),
            optimiser=OptimiserSpec(kind="adam", lr=2e-3, schedule="cosine"),
            train=TrainSpec(epochs=30),
        ),
    ),
    Preset(
        "l2-small",
        "L2 keeps it small",
        "All as in “L1 makes it sparse”, only L2 in L1's place: weights get small, and none becomes zero.",
        RunSpec(
            name="L2 keeps it small",
            regularisers=(RegulariserSpec(kind="l2", strength=1e-3, warmup_epochs=12),),
            optimiser=OptimiserSpec(kind="adam", lr=2e-3, schedule="cosine"),
            train=TrainSpec(epochs=20),
        ),
    ),
    Preset(
        "all-three",
        "All three together",
        "Augmentation, dropout and L1 at once: better than the baseline with little more than a quarter of "
        "its weights, in twice as many epochs.",
        RunSpec(
            name="All three together",
            augment=_GENTLE,
            regularisers=(_SPARSE.model_copy(update={"strength": 3e-4}),),
            optimiser=OptimiserSpec(kind="adam", lr=2e-3, schedule="cosine"),
            train=TrainSpec(epochs=20),
        ),
    ),
    Preset(
        "rnn",
        "Rows as a sequence",
        "An LSTM reads each digit row by row, from top to bottom.",
        RunSpec(name="Rows as a sequence", model=ModelSpec(arch="rnn"), train=TrainSpec(epochs=15)),
    ),
    Preset(
        "attention",
        "Patches that attend",
        "Self-attention sees every patch at once and has to learn where they are.",
        RunSpec(
            name="Patches that attend",
            model=ModelSpec(arch="attention", params={"patch": 7}),  # 16 patches: 3 times as fast as 49
            optimiser=OptimiserSpec(kind="adamw", lr=2e-3, schedule="one-cycle"),
            train=TrainSpec(epochs=15),
        ),
    ),
    Preset(
        "flips-lie",
        "When a flip lies",
        "A flipped arrow points the other way but keeps its label: the network can't tell left from right.",
        RunSpec(
            name="When a flip lies",
            data=DataSpec(name="arrows"),
            augment=AugmentSpec(ops=(OpSpec(op="RandomHorizontalFlip", p=0.5),)),
            train=TrainSpec(epochs=8),
        ),
    ),
)
# What the Augment page opens with: three operations that visibly do something to any image.
FIRST_LOOK = RunSpec(
    augment=AugmentSpec(
        ops=(
            OpSpec(op="RandomAffine", p=1.0),
            OpSpec(op="RandomErasing", p=0.5),
            OpSpec(op="RandomGaussianNoise", p=0.5),
        )
    )
)
# What a class does first, in this order; the second and the fourth differ from the one before in one thing.
LESSONS = ("by-heart", "by-heart-augmented", "l1-sparse", "l2-small")
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}


def preset(name: str) -> RunSpec:
    """The preset's spec, not yet completed; `SpecError` says which names there are."""
    if name not in PRESETS:
        raise SpecError("", f"There is {no_such('preset', name, PRESETS)}")
    return PRESETS[name].spec
