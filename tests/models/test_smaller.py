"""Networks with fewer units: what is masked and what is taken out answer alike, and are loaded again."""

from __future__ import annotations

import copy

import pytest
import torch

from core.models.build import build_model
from core.models.fit import fit_to, shapes_of
from core.run.errors import SpecError
from core.run.spec import ModelSpec
from core.transform.shrink import shrink
from core.transform.units import units_of

SIDE, CHANNELS = 12, 1
NETWORKS = {
    "cnn": ModelSpec(arch="cnn", params={"channels": [6, 8, 5], "hidden": 20}),
    "cnn, batch norm": ModelSpec(arch="cnn", params={"channels": [6, 8], "hidden": 20, "batch_norm": True}),
    "mlp": ModelSpec(arch="mlp", params={"hidden": [20, 12, 8]}),
    **{
        f"{cell}, {layers} layers{', both ways' if both else ''}": ModelSpec(
            arch="rnn", params={"cell": cell, "hidden": 18, "layers": layers, "bidirectional": both}
        )
        for cell in ("rnn", "gru", "lstm")
        for layers, both in ((1, False), (1, True), (2, False), (2, True))
    },
    "attention": ModelSpec(arch="attention", params={"patch": 3, "width": 32, "heads": 4, "depth": 2}),
}


def network(name, seed=0):
    model = build_model(NETWORKS[name], channels=CHANNELS, side=SIDE, num_classes=10, seed=seed).eval()
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # biases and norms that do something
        for _, value in [*model.named_parameters(), *model.named_buffers()]:
            if value.ndim == 1:
                value.add_(0.3 * torch.rand(value.shape, generator=draws))
    return model


def images(seed=1):
    return torch.rand(9, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_what_is_masked_can_be_taken_out_without_a_trace(name, share):
    model, draws = network(name), torch.Generator().manual_seed(3)
    expected = {}
    for units in units_of(model):
        gone = torch.randperm(units.count, generator=draws)[: round(share * units.count)]
        gone = gone[: units.count - 1]
        units.mask(gone)
        expected[units.layer.split(" (")[0]] = units.count - len(gone)
    masked = model(images())
    small = shrink(model, channels=CHANNELS, side=SIDE)
    assert torch.allclose(small.model(images()), masked, atol=1e-5)
    assert {layer: kept for layer, (kept, _) in small.layers.items()} == expected
    assert small.after.parameters < small.before.parameters
    assert small.after.multiply_adds < small.before.multiply_adds
    # A network that is built anew from the spec takes those weights, once it fits.
    again = network(name, seed=5)
    state = small.model.state_dict()
    fit_to(again, shapes_of(state), channels=CHANNELS, side=SIDE)
    again.load_state_dict(state)
    assert torch.equal(again.eval()(images()), small.model(images()))
    assert sum(p.numel() for p in again.parameters()) == small.after.parameters
    again.train()(images()).sum().backward()
    assert all(p.grad is not None for p in again.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_unit_is_all_that_leads_to_it_and_away(name):
    """What is masked changes no other unit's rows; the shapes are those of the parameters."""
    model = network(name)
    for units in units_of(model):
        before = copy.deepcopy(model.state_dict())
        incoming, outgoing = units.incoming(lambda p: p), units.outgoing(lambda p: p)
        assert len(incoming) == len(outgoing) == units.count
        assert outgoing.any(1).all()
        units.mask(torch.tensor([0]))
        found = units.outgoing(lambda p: p)
        assert not found[0].any() and (found[1:].any(1)).all()
        model.load_state_dict(before)


def test_what_fits_is_left_alone_to_the_bit():
    model = network("cnn")
    before = {name: (value.data_ptr(), value.clone()) for name, value in model.state_dict().items()}
    fit_to(model, shapes_of(model.state_dict()), channels=CHANNELS, side=SIDE)
    for name, value in model.state_dict().items():
        assert value.data_ptr() == before[name][0] and torch.equal(value, before[name][1])


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_of_no_such_network_are_refused(name):
    shapes = shapes_of(network(name).state_dict())
    classifier = next(key for key in reversed(shapes) if key.endswith("weight"))
    first = next(iter(shapes))
    for wrong in (
        {},
        {key: shape for key, shape in shapes.items() if key != classifier},
        {**shapes, "more.weight": (3, 3)},
        {**shapes, first: tuple(2 * each for each in shapes[first])},
        {**shapes, first: shapes[first][:-1]},
        {**shapes, first: (0, *shapes[first][1:])},
        {**shapes, first: (*shapes[first][:-1], 1)},
        {**shapes, classifier: (3, *shapes[classifier][1:]), classifier.replace("weight", "bias"): (3,)},
        {key: tuple(max(1, each - 1) for each in shape) for key, shape in shapes.items()},
    ):
        with pytest.raises(SpecError, match="another network"):
            fit_to(network(name), wrong, channels=CHANNELS, side=SIDE)


def test_blocks_that_are_not_there_are_left_out():
    model = network("attention")
    state = {key: value for key, value in model.state_dict().items() if not key.startswith("block1.")}
    fit_to(model, shapes_of(state), channels=CHANNELS, side=SIDE)
    model.load_state_dict(state)
    assert len(model.blocks) == 1 and model(images()).shape == (9, 10)
