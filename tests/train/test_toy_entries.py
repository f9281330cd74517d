"""An entry and its class are all it takes to add an architecture or a regulariser: it trains, is measured,
shrunk from, described and advised on, and no list anywhere else has to know it."""

import pytest

from core.catalogues import completed
from core.figures.parts import has_lambda
from core.figures.sparsity import removable
from core.layers.groups import weight_groups
from core.models.build import build_model
from core.models.summary import summarise
from core.run.spec import DataSpec, ModelSpec, RegulariserSpec, RunSpec, TrainSpec
from core.text.advice import advise
from core.text.describe import in_words, objective
from core.train.loop import run
from tests.toys import entries


@pytest.fixture
def toys(monkeypatch):
    entries.add(monkeypatch)


def spec():
    return completed(
        RunSpec(
            data=DataSpec(name="digits", train_images=200),
            model=ModelSpec(arch="toy"),
            regularisers=(RegulariserSpec(kind="huge"),),
            train=TrainSpec(epochs=1, batch_size=64),
        )
    )


@pytest.mark.usefixtures("toys")
def test_a_toy_network_trains_under_a_toy_regulariser():
    events = list(run(spec()))
    (epoch,) = [event for event in events if event["event"] == "epoch"]
    assert events[-1]["state"] == "finished"
    assert epoch["penalties"]["huge"] > 0 and epoch["filters"]["layer"] == "look"
    assert epoch["sparsity"]["groups"] == {"neurons": {"zero": 0, "all": 12}}


@pytest.mark.usefixtures("toys")
def test_a_toy_network_is_counted_summarised_and_said():
    shape = {"channels": 1, "side": 8, "num_classes": 10}
    assert summarise(spec().model, **shape).parameters == 64 * 12 + 12 + 12 * 10 + 10
    (groups,) = weight_groups(build_model(spec().model, **shape, seed=0))
    assert groups.layer == "look"
    assert in_words(spec()) == "digits · toy 12 · Largest weight 0.01 penalty"
    assert objective(spec()).endswith(r"\mu \max |w|") and not has_lambda("huge")
    layers = {"look": {"exact": 1.0}}
    dead = {"sparsity": {"exact": 1, "near": 1, "layers": layers}, "validation_loss": 1.0, "penalty": 0.0}
    assert advise(dead, spec()).startswith("Every weight is zero: μ = 0.01 of Largest weight is too strong.")
    part = {"exact": 0.5, "layers": {"look": {"exact": 0.5}}, "groups": {"neurons": {"zero": 3, "all": 12}}}
    assert removable({"sparsity": part}, "toy") == "neurons"
