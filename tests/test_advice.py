"""What is said of a strength that can't be right goes by facts of the entries."""

import pytest

from core.catalogues import completed
from core.models.catalogue import ARCHITECTURES
from core.run.spec import ModelSpec, RegulariserSpec, RunSpec
from core.text.advice import advise


def spec(*kinds, arch="cnn"):
    regularisers = tuple(RegulariserSpec(kind=kind) for kind in kinds)
    return completed(RunSpec(model=ModelSpec(arch=arch), regularisers=regularisers))


def event(exact, dead=()):
    layers = {name: {"exact": 1.0 if name in dead else 0.5} for name in ("first", "second")}
    sparsity = {"exact": exact, "near": exact, "layers": layers}
    return {"sparsity": sparsity, "validation_loss": 0.1, "penalty": 0.0}


def test_what_does_not_act_on_weights_is_never_to_blame_for_them():
    assert advise(event(1.0), spec("label_smoothing")) == ""
    assert advise(event(1.0), spec("label_smoothing", "l1")).startswith(
        "Every weight is zero: λ = 0.0001 of L1 (lasso) is too strong. Try 1e-5"
    )


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_dead_layer_silences_a_network_that_has_no_way_around_it(arch):
    said = advise(event(0.7, dead=("second",)), spec("l1", arch=arch))
    assert ("nothing of the image gets through" in said) == (arch != "attention")
