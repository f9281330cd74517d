"""Whole channels and whole branches dropped: the share, the mean, and nothing at all in evaluation."""

import pytest
import torch
from torch import nn

from core.models.attention import DropPath
from core.models.build import build_model
from core.models.catalogue import ARCHITECTURES
from core.models.dropout import DROPOUTS, dropouts
from core.models.live import take_dropouts
from core.run.spec import ModelSpec

DIGITS = {"channels": 1, "side": 28, "num_classes": 10}


def make(arch, **params):
    return build_model(ModelSpec(arch=arch, params=params), **DIGITS, seed=0)


def share_of(dropped):
    return float(dropped.float().mean())


def test_channel_dropout_silences_whole_maps_after_each_block():
    torch.manual_seed(0)
    model = make("cnn", channels=[16, 32], hidden=16, channel_dropout=0.25)
    outputs = {}
    for number in (1, 2):
        model.get_submodule(f"dropout{number}").register_forward_hook(
            lambda module, inputs, output, number=number: outputs.update({number: (inputs[0], output)})
        )
    model(torch.randn(400, 1, 28, 28))
    for before, after in outputs.values():
        maps, kept = before.flatten(2), after.flatten(2)  # (B, C, S·S)
        silent = kept.eq(0).all(2)
        lit = maps.gt(0).any(2)  # a map without a lit pixel says nothing
        assert share_of(silent[lit]) == pytest.approx(0.25, abs=0.02)
        torch.testing.assert_close(kept[~silent], maps[~silent] / 0.75)


def test_drop_path_skips_images_and_keeps_the_mean():
    torch.manual_seed(0)
    branch, layer = torch.randn(20_000, 3, 2), DropPath(0.3)
    out = layer(branch)
    skipped = out.flatten(1).eq(0).all(1)
    assert share_of(skipped) == pytest.approx(0.3, abs=0.015)
    torch.testing.assert_close(out[~skipped], branch[~skipped] / 0.7)
    torch.testing.assert_close(layer(torch.ones(200_000, 1)).mean(), torch.tensor(1.0), atol=0.01, rtol=0)


def test_deeper_blocks_are_skipped_more():
    model = make("attention", depth=4, drop_path=0.2)
    assert [block.drop_path.p for block in model.blocks] == pytest.approx([0.05, 0.1, 0.15, 0.2])


def test_a_skipped_image_passes_the_last_block_unchanged():
    torch.manual_seed(0)
    (block,) = make("attention", depth=1, drop_path=0.5).blocks
    tokens = torch.randn(400, 5, 64)
    unchanged = (block(tokens) == tokens).flatten(1).all(1)
    assert share_of(unchanged) == pytest.approx(0.25, abs=0.07)  # each branch on its own


@pytest.mark.parametrize(("arch", "params"), [("cnn", "channel_dropout"), ("attention", "drop_path")])
def test_in_evaluation_nothing_is_dropped(arch, params):
    plain, dropping = make(arch).eval(), make(arch, **{params: 0.5})
    images = torch.randn(8, 1, 28, 28)
    assert not torch.equal(dropping(images), plain(images))
    assert torch.equal(dropping.eval()(images), plain(images))  # and they start from the same weights


def test_at_0_nothing_is_drawn():
    model = make("attention").train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    before = torch.get_rng_state()
    for each in (model, make("cnn", dropout=0.0).train()):
        each(torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("arch", ["cnn", "mlp", "rnn", "attention"])
def test_a_network_takes_the_shares_of_another(arch):
    shares = {p.name: 0.3 for p in ARCHITECTURES[arch].parameters if p.name in DROPOUTS}
    model, other = make(arch, **dict.fromkeys(shares, 0.0)), make(arch, **shares)
    take_dropouts(model, other)
    torch.manual_seed(3)
    expected = other.train()(torch.ones(4, 1, 28, 28))
    torch.manual_seed(3)
    assert torch.equal(model.train()(torch.ones(4, 1, 28, 28)), expected)


def test_every_share_that_an_architecture_drops_has_an_entry():
    parameters = {p.name for entry in ARCHITECTURES.values() for p in entry.parameters}
    assert set(DROPOUTS) == {name for name in parameters if "drop" in name}
    for entry in DROPOUTS.values():
        assert entry.formula.count("{") == entry.formula.count("}") and entry.source
        for text in (entry.help, entry.effect):
            assert text[0].isupper() and text.endswith(".")


def test_only_what_is_dropped_is_listed():
    spec = ModelSpec(arch="attention", params={"depth": 1, "dropout": 0.0, "drop_path": 0.25})
    assert [(entry.name, share) for entry, share in dropouts(spec)] == [("drop_path", 0.25)]
    assert dropouts(ModelSpec(arch="rnn", params={"dropout": 0})) == []
