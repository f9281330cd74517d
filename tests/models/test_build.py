import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalogue import Choice, Flag, Integers, Number, as_json
from core.catalogues import completed
from core.models.build import build_model, count_parameters, shape_of_model
from core.models.catalogue import ARCHITECTURES
from core.models.check import completed_model
from core.randomness import private_draws
from core.run.errors import SpecError
from core.run.spec import MAX_PARAMETERS, ModelSpec, RunSpec, parse
from core.text.describe import in_words

DIGITS = {"channels": 1, "side": 28, "num_classes": 10}


def spec(arch, **params):
    return ModelSpec(arch=arch, params=params)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize(("channels", "side", "num_classes"), [(1, 28, 10), (3, 32, 4), (1, 8, 2)])
def test_images_in_logits_out(arch, channels, side, num_classes):
    model = build_model(spec(arch), channels=channels, side=side, num_classes=num_classes, seed=0)
    assert model.training
    logits = model(torch.randn(5, channels, side, side))
    assert logits.shape == (5, num_classes)
    logits.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_seed_and_nothing_else_decides_the_weights(arch):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build_model(spec(arch), **DIGITS, seed=3).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again = build_model(spec(arch), **DIGITS, seed=3).state_dict()
    other = build_model(spec(arch), **DIGITS, seed=4).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_checking_draws_nothing(arch):
    before = torch.get_rng_state()
    completed_model(spec(arch), **DIGITS)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_images_do_not_influence_each_other(arch):
    model = build_model(spec(arch), **DIGITS, seed=0).eval()
    images = torch.randn(6, 1, 28, 28)
    alone = torch.cat([model(image[None]) for image in images])
    torch.testing.assert_close(model(images), alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_checked_spec_is_complete_and_survives_json(arch):
    checked = completed_model(spec(arch), **DIGITS)
    assert list(checked.params) == [parameter.name for parameter in ARCHITECTURES[arch].parameters]
    assert completed_model(checked, **DIGITS) == checked
    assert parse(json.dumps({"model": checked.model_dump()})).model == checked


def test_an_mlp_in_words_has_its_widths():
    spec = RunSpec(model=ModelSpec(arch="mlp"))
    assert in_words(completed(spec)) == "mnist5k · mlp 300-100"


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_entries_can_be_listed_as_json(arch):
    listed = json.loads(json.dumps(as_json(ARCHITECTURES[arch])))
    assert listed["name"] == arch and listed["makes"].startswith("core.models.")
    assert len(listed["help"]) > 200 and listed["source"]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (
            spec("resnet"),
            "model.arch: there is no architecture called 'resnet'; there are cnn, mlp, rnn, attention.",
        ),
        (spec("cnn", width=3), "model.params.width: cnn has no such parameter"),
        (spec("cnn", channels=[2]), "model.params.channels[0]: 2 is below the smallest allowed, 4"),
        (spec("cnn", channels=[8] * 6), "model.params.channels: it has 6 numbers; 1 to 5 are allowed."),
        (spec("rnn", cell="mamba"), "model.params.cell: 'mamba' is not one of lstm, gru, rnn."),
        (
            spec("attention", patch=5),
            "model.params.patch: patches of 5 pixels don't tile images of 28; 1, 2, 4, 7, 14 or 28 would do.",
        ),
        (
            spec("attention", width=70),
            "model.params.heads: 4 heads can't share a width of 70 equally; 1, 2, 5, 7, 10 or 14 can.",
        ),
    ],
)
def test_every_refusal_is_one_clear_line(model, says):
    with pytest.raises(SpecError) as refusal:
        completed_model(model, **DIGITS)
    assert str(refusal.value).startswith(says)
    assert "\n" not in str(refusal.value)


def test_too_many_patches_or_none_that_fits():
    with pytest.raises(SpecError, match=r"256 into 4,096 pieces, and at most 1,024 are allowed; 8, 16, "):
        completed_model(spec("attention"), channels=3, side=256, num_classes=2)
    with pytest.raises(SpecError, match="no patch up to 64 does; use images of 256 pixels instead"):
        completed_model(spec("attention"), channels=3, side=251, num_classes=2)


def test_too_many_parameters_are_refused_with_the_count():
    model = spec("cnn", channels=[512] * 5, hidden=4096)
    convolutions = 512 * 3 * 9 + 4 * 512 * 512 * 9 + 5 * 512
    # 256 pixels, halved five times, are 8.
    dense = 512 * 8 * 8 * 4096 + 4096 + 4096 * 10 + 10
    with pytest.raises(SpecError) as refusal:
        completed_model(model, channels=3, side=256, num_classes=10)
    assert refusal.value.where == "model.params"
    assert f"{convolutions + dense:,}" in refusal.value.what
    assert f"{MAX_PARAMETERS:,}" in refusal.value.what


@settings(max_examples=25, deadline=None)
@given(
    side=st.integers(8, 256),
    channels=st.sampled_from([1, 3]),
    widths=st.lists(st.sampled_from([4, 5, 8]), min_size=1, max_size=5),
    batch_norm=st.booleans(),
)
def test_a_cnn_fits_every_side(side, channels, widths, batch_norm):
    model = build_model(
        spec("cnn", channels=widths, hidden=16, batch_norm=batch_norm),
        channels=channels,
        side=side,
        num_classes=3,
        seed=0,
    )
    assert model(torch.randn(2, channels, side, side)).shape == (2, 3)
    assert model.fc1.in_features <= widths[-1] * 8 * 8


def values_of(parameter):
    """Any value that the parameter may have, but no network of gigabytes."""
    match parameter:
        case Number(low=low, high=high, integer=True):
            return st.integers(int(low), min(int(high), 300))
        case Number(low=low, high=high):
            return st.floats(low, high)
        case Integers(low=low, high=high, min_length=shortest, max_length=longest):
            return st.lists(st.integers(low, min(high, 300)), min_size=shortest, max_size=longest)
        case Choice(options=options):
            return st.sampled_from(options)
        case Flag():
            return st.booleans()


@pytest.mark.parametrize("arch", ARCHITECTURES)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), channels=st.sampled_from([1, 3]), side=st.integers(8, 256), classes=st.integers(2, 50))
def test_parameters_are_counted_as_the_network_has_them(arch, data, channels, side, classes):
    entry = ARCHITECTURES[arch]
    params = {p.name: data.draw(values_of(p), label=p.name) for p in entry.parameters}
    if arch == "attention":  # else hardly any would fit
        params["width"] -= params["width"] % params["heads"]
        params["width"] = max(params["width"], 16 * params["heads"])
        params["patch"] = data.draw(st.sampled_from([p for p in range(1, 65) if side % p == 0]))
    shape = {"channels": channels, "side": side, "num_classes": classes}
    try:
        model = shape_of_model(spec(arch, **params), **shape)
    except SpecError as refused:
        count = entry.count_parameters(params, channels, side, classes)
        assert refused.where == "model.params.patch" or count > MAX_PARAMETERS
        return
    assert entry.count_parameters(params, channels, side, classes) == count_parameters(model)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_classifier_is_the_layer_that_puts_the_classes_out(arch):
    model, outputs = build_model(spec(arch), **DIGITS, seed=0).eval(), []
    model.get_submodule(model.classifier).register_forward_hook(lambda m, i, output: outputs.append(output))
    assert torch.equal(model(torch.randn(2, 1, 28, 28)), outputs[-1])


@settings(max_examples=25, deadline=None)
@given(side=st.integers(8, 256), patch=st.integers(1, 64), width=st.sampled_from([16, 30, 64]))
def test_attention_fits_or_is_refused_by_a_field_s_name(side, patch, width):
    fits = side % patch == 0 and (side // patch) ** 2 <= 1024 and width % 4 == 0
    shape = {"channels": 1, "side": side, "num_classes": 3}
    model = spec("attention", patch=patch, width=width, depth=1)
    if fits:
        assert completed_model(model, **shape).params["patch"] == patch
    else:
        with pytest.raises(SpecError) as refusal:
            completed_model(model, **shape)
        assert refusal.value.where in ("model.params.patch", "model.params.heads")


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_each_can_learn_sixteen_images_by_heart(arch):
    with private_draws(0):
        images, labels = torch.randn(16, 1, 8, 8), torch.arange(16) % 4
        model = build_model(spec(arch, dropout=0.0), channels=1, side=8, num_classes=4, seed=0)
        optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
        for _ in range(60):
            loss = torch.nn.functional.cross_entropy(model(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    assert (model(images).argmax(1) == labels).all()
