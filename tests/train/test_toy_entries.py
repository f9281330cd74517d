"""An entry and its class are all it takes to add an architecture or a regulariser: it trains, is measured,
shrunk from, described and advised on, and no list anywhere else has to know it."""

import pytest
import torch
from torch import nn

from core.catalogue import Number
from core.catalogues import completed
from core.figures.parts import has_lambda
from core.figures.sparsity import removable
from core.layers.groups import weight_groups
from core.models.build import build_model
from core.models.catalogue import ARCHITECTURES
from core.models.entry import ModelEntry
from core.models.sizes import dense_chain
from core.models.summary import summarise
from core.regularise.catalogue import REGULARISERS
from core.regularise.entry import RegulariserEntry
from core.regularise.regulariser import Regulariser
from core.run.spec import DataSpec, ModelSpec, RegulariserSpec, RunSpec, TrainSpec
from core.text.advice import advise
from core.text.describe import in_words, objective
from core.train.loop import run


class Toy(nn.Module):
    """Its classifier comes first in the list of layers, so that a guess by order would be wrong."""

    classifier, filters = "answer", "look"

    def __init__(self, in_channels, side, num_classes, *, units):
        super().__init__()
        self.answer = nn.Linear(units, num_classes)
        self.look = nn.Linear(in_channels * side**2, units)

    def forward(self, images):
        return self.answer(self.look(images.flatten(1)).relu())


class Huge(Regulariser):
    """The largest weight of all."""

    def penalty(self):
        return torch.stack([weight.abs().max() for weight in self.weights]).max()


@pytest.fixture
def toys(monkeypatch):
    toy = ModelEntry(
        name="toy",
        title="Toy network",
        help="One layer.",
        source="",
        parameters=(Number("units", 12, 2, 4096, "How many.", integer=True),),
        makes=f"{__name__}:Toy",
        count_parameters=lambda params, channels, side, classes: dense_chain(
            [channels * side**2, params["units"], classes]
        ),
        size="units",
        removable=("neurons",),
    )
    huge = RegulariserEntry(
        name="huge",
        title="Largest weight",
        help="Pulls at the largest weight.",
        source="",
        makes=f"{__name__}:Huge",
        formula=r"\mu \max |w|",
        effect="The largest becomes smaller.",
        solvers=("penalty",),
        default_strength=0.01,
        symbol="μ",
    )
    monkeypatch.setitem(ARCHITECTURES, "toy", toy)
    monkeypatch.setitem(REGULARISERS, "huge", huge)


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
