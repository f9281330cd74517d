"""What is said of a strength that can't be right goes by facts of the entries."""

import pytest

from core.catalogues import completed
from core.models.catalogue import ARCHITECTURES
from core.run.spec import ModelSpec, RegulariserSpec, RunSpec
from core.text.advice import advise, stuck


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


def at_chance(*accuracies):
    """Ten classes of 100 images each; the last epoch has its matrix, as a history keeps it."""
    epochs = [{"epoch": i, "validation_accuracy": each} for i, each in enumerate(accuracies, 1)]
    epochs[-1]["confusion"] = [[100, *[0] * 9]] * 10
    return epochs


@pytest.mark.parametrize(
    ("accuracies", "total", "is_stuck"),
    [
        ((0.1, 0.1, 0.1), 10, True),
        ((0.1, 0.1), 10, False),  # too early
        ((0.1, 0.1, 0.1), 40, False),  # a quarter of the run is to have gone by
        ((0.1, 0.118, 0.1), 10, True),  # two standard errors of 10 % on 1,000 are 1.9 points
        ((0.1, 0.12, 0.1), 10, False),
        ((0.9, 0.1, 0.1, 0.1), 10, True),  # it fell back
        ((0.1, 0.1, 0.1, 0.9), 10, False),
    ],
)
def test_a_run_that_learns_nothing_is_said_while_it_goes(accuracies, total, is_stuck):
    said = stuck(at_chance(*accuracies), total, spec())
    assert bool(said) == is_stuck
    if said:
        assert "10.0 % of the 1,000 validation images" in said
        assert ("such as 0.0001 instead of 0.001" in said) == (accuracies[0] == 0.9)  # it had learnt


@pytest.mark.parametrize(
    ("rate", "losses", "said"),
    [
        (1e-6, (2.31, 2.31, 2.31), "a higher learning rate, such as 1e-05 instead of 1e-06"),
        (5e-4, (2.31, 2.31, 2.31), "a higher learning rate, such as 0.001 instead of 0.0005"),
        (1e-3, (2.31, 2.31, 2.31), "another learning rate, higher or lower"),
        (1e-1, (2.31, 2.31, 2.31), "a lower learning rate, such as 0.01 instead of 0.1"),
        (1e-6, (9.9, 2.31, 2.31), "a lower learning rate, such as 1e-07 instead of 1e-06"),
    ],
)
def test_a_stuck_run_is_told_which_way_to_turn_the_rate(rate, losses, said):
    base = spec()
    tried = base.model_copy(update={"optimiser": base.optimiser.model_copy(update={"lr": rate})})
    epochs = [
        {**each, "train_loss": loss} for each, loss in zip(at_chance(0.1, 0.1, 0.1), losses, strict=False)
    ]
    assert stuck(epochs, 3, tried).endswith(f"with {said}.")


def test_without_a_matrix_or_with_one_class_nothing_is_said():
    epochs = at_chance(0.1, 0.1, 0.1)
    del epochs[-1]["confusion"]
    assert stuck(epochs, 3, spec()) == ""
    epochs[-1]["confusion"] = [[300]]
    assert stuck(epochs, 3, spec()) == ""
