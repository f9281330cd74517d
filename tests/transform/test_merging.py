"""Means, paths and soups against what is computed by hand, and what they must not be made of."""

from __future__ import annotations

import copy
import itertools
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from core.__main__ import main
from core.catalogues import completed
from core.run.errors import SpecError
from core.run.spec import parse
from core.train.evaluation import evaluate
from core.train.loop import run
from core.train.session import no_check
from core.train.teachers import check_judges, open_network
from core.transform.catalogue import TRANSFORMS
from core.transform.matching import ASKED, _Together, match
from core.transform.network import Sources
from core.transform.plan import fits
from core.transform.steps.merge import mean, merge
from core.transform.units import units_of
from tests.models.test_smaller import NETWORKS, images, network

MLP = {"arch": "mlp", "params": {"hidden": [24, 16]}}
NORM = {"arch": "cnn", "params": {"channels": [8, 12], "hidden": 24, "batch_norm": True}}


def spec(model, seed=0, **data):
    return completed(
        parse(
            {
                "seed": seed,
                "data": {"name": "digits", "train_images": 400, "split_seed": 0, **data},
                "model": model,
                "optimiser": {"kind": "adam", "lr": 0.01},
                "train": {"epochs": 4, "batch_size": 64, "device": "cpu"},
            }
        )
    )


@pytest.fixture(scope="module")
def weights_of(tmp_path_factory):
    """The file with the weights of a trained network; each is trained once."""
    known = {}

    def make(chosen):
        if (key := chosen.to_json()) not in known:
            known[key] = tmp_path_factory.mktemp("run")
            for _ in run(chosen, out=known[key]):
                pass
        return known[key] / "weights.safetensors"

    return make


def opened(weights_of, *specs):
    return Sources([open_network(each, weights_of(each)) for each in specs], 0, 0, no_check)


def accuracy(session, model=None):
    """By hand."""
    kept = session.validation
    with torch.inference_mode():
        logits = (model or session.model).eval()(session.normalised(kept.images.float().div(255)))
    return (logits.argmax(1) == kept.labels).double().mean().item()


def rows_of(made, table):
    return [row for row in made.rows if row["table"] == table]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("shares", [None, [0.2, 0.5, 0.3], [0.0, 1.0, 0.0]])
def test_a_mean_is_the_weighted_sum_of_each_number(name, shares):
    networks = [network(name, seed) for seed in range(3)]
    before = [copy.deepcopy(each.state_dict()) for each in networks]
    made = mean(networks, shares).state_dict()
    for key in made:
        if not made[key].is_floating_point():  # how many batches a norm has seen
            assert torch.equal(made[key], before[0][key])
            continue
        values = np.stack([state[key].double().numpy() for state in before])
        by_hand = np.tensordot(shares or [1 / 3] * 3, values, axes=1)
        np.testing.assert_allclose(made[key].numpy(), by_hand, rtol=1e-6, atol=1e-7)
    for each, state in zip(networks, before, strict=True):  # nothing was changed
        assert all(torch.equal(value, state[key]) for key, value in each.state_dict().items())


@pytest.mark.parametrize("method", ["matched", "as they are", "greedy"])
def test_merging_leaves_its_networks_as_they_were(weights_of, method):
    sources = opened(weights_of, spec(NORM), spec(NORM, 1))
    before = [copy.deepcopy(session.model.state_dict()) for session in sources.sessions]
    places = [id(session.model) for session in sources.sessions]
    merge(sources, {"method": method})
    assert [id(session.model) for session in sources.sessions] == places
    for session, state in zip(sources.sessions, before, strict=True):
        assert not session.model.training
        assert all(torch.equal(value, state[key]) for key, value in session.model.state_dict().items())


@pytest.mark.parametrize("model", [MLP, NORM])
def test_the_ends_of_a_path_are_the_networks_and_its_middle_is_the_mean(weights_of, model):
    sources = opened(weights_of, spec(model), spec(model, 1))
    made = merge(sources, {"method": "matched"})
    by = {(row["way"], row["at"]): row for row in rows_of(made, "path")}
    networks = rows_of(made, "compared")
    for way, end in itertools.product(("as they are", "matched"), (0, 1)):
        row, session = by[way, float(end)], sources.sessions[end]
        assert row["accuracy"] == networks[end]["accuracy"] == accuracy(session)
        assert row["loss"] == pytest.approx(networks[end]["loss"], rel=1e-5)
        some = session.train.take(slice(row["train_images"]))
        assert row["train_loss"] == pytest.approx(evaluate(session, some).loss, rel=1e-5)
    whole = networks[-1]
    assert whole["what"] == "mean" and by["matched", 0.5]["loss"] == pytest.approx(whole["loss"])
    norms = model == NORM
    assert {at: row["norms_renewed"] for (_, at), row in by.items()} == {
        at: norms and 0 < at < 1 for _, at in by
    }
    assert whole["norms_renewed"] == norms
    state = mean([session.model for session in sources.sessions])
    state.load_state_dict(made.state)
    assert accuracy(sources.first, state) == whole["accuracy"]


def test_statistics_of_a_mean_are_those_of_its_own_training_images(weights_of):
    """Against torch's own batch norm in training mode, over the same images at once."""
    sources = opened(weights_of, spec(NORM), spec(NORM, 1))
    session = sources.first
    made = merge(sources, {"method": "as they are"}).state
    plain = mean([session.model for session in sources.sessions])
    first = {"x": session.normalised(session.train.images.float().div(255))}
    with torch.no_grad():
        said = plain.conv1(first["x"])
    np.testing.assert_allclose(made["norm1.running_mean"], said.mean((0, 2, 3)), rtol=0.02, atol=0.02)
    np.testing.assert_allclose(made["norm1.running_var"], said.var((0, 2, 3)), rtol=0.05)
    stale = plain.norm1.running_var.numpy()
    assert np.abs(stale - said.var((0, 2, 3)).numpy()).max() > 0.1  # the mean of the statistics is another


def perturbed(tmp_path, session, scales):
    """Networks around a trained one, the farther the worse."""
    draws = torch.Generator().manual_seed(3)
    found = []
    for number, scale in enumerate(scales):
        state = {
            key: value + scale * value.std() * torch.randn(value.shape, generator=draws)
            for key, value in session.model.state_dict().items()
        }
        save_file(state, tmp_path / f"{number}.safetensors")
        found.append(open_network(session.spec, tmp_path / f"{number}.safetensors"))
    return Sources(found, 0, 0, no_check)


@pytest.mark.parametrize(
    "scales", [(0.7, 0.3, 0.5, 0.4), (1.2, 0.2, 1.5, 0.6, 0.5), (0.5, 0.5, 0.5), (0.0, 0.0), (0.1, 9.0)]
)
def test_a_greedy_soup_is_the_one_found_by_hand(tmp_path, weights_of, scales):
    sources = perturbed(tmp_path, opened(weights_of, spec(MLP)).first, scales)
    models = [session.model for session in sources.sessions]
    alone = [accuracy(sources.first, model) for model in models]

    def of(chosen):
        """Of every set of networks the accuracy of its mean, computed apart."""
        state = {
            key: torch.from_numpy(np.mean([models[i].state_dict()[key].double().numpy() for i in chosen], 0))
            for key in models[0].state_dict()
        }
        made = copy.deepcopy(models[0])
        made.load_state_dict(state)
        return accuracy(sources.first, made)

    sets = itertools.chain.from_iterable(
        itertools.combinations(range(len(models)), size) for size in range(1, len(models) + 1)
    )
    all_of_them = {frozenset(each): of(each) for each in sets}
    order = np.argsort([-each for each in alone], kind="stable").tolist()
    soup = frozenset(order[:1])
    for i in order[1:]:
        if all_of_them[soup | {i}] >= all_of_them[soup]:
            soup |= {i}
    made = merge(sources, {"method": "greedy"})
    taken = [row["place"] for row in rows_of(made, "compared") if "accuracy" not in row]
    assert frozenset(taken) == soup and taken == [i for i in order if i in soup]
    assert rows_of(made, "compared")[-1]["accuracy"] == all_of_them[soup] >= max(alone)
    if scales == (0.1, 9.0):
        assert taken == [0]
    if scales == (0.0, 0.0):  # one that does neither good nor harm is taken in, as in the paper
        assert taken == [0, 1]


def test_a_greedy_soup_of_one_is_that_network(tmp_path, weights_of):
    """Its statistics of batch norm are its own."""
    good, bad = spec(NORM), spec(NORM, 1)
    sources = opened(weights_of, good, bad)
    with torch.no_grad():
        sources.sessions[1].model.fc2.weight.mul_(-1)  # right where it was wrong
    made = merge(sources, {"method": "greedy"})
    own = sources.first.model.state_dict()
    assert all(torch.equal(value, own[key]) for key, value in made.state.items())
    last = rows_of(made, "compared")[-1]
    assert last["accuracy"] == accuracy(sources.first) and not last["norms_renewed"]


def test_the_ensemble_is_the_mean_of_probabilities(weights_of):
    sources = opened(weights_of, spec(MLP), spec(MLP, 1), spec(MLP, 2))
    made = merge(sources, {"method": "as they are"})
    row = next(row for row in made.rows if row.get("what") == "ensemble")
    kept = sources.first.validation
    shares = 0
    with torch.inference_mode():
        for session in sources.sessions:
            z = session.model(session.normalised(kept.images.float().div(255))).double().numpy()
            e = np.exp(z - z.max(1, keepdims=True))
            shares = shares + e / e.sum(1, keepdims=True) / 3
    labels = kept.labels.numpy()
    assert row["accuracy"] == (shares.argmax(1) == labels).mean()
    assert row["loss"] == pytest.approx(-np.log(shares[np.arange(len(labels)), labels]).mean(), rel=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_in_other_orders_merge_to_the_same_network(name):
    """Three, of which two are the first one with its units shuffled, matched by answers in several goes."""
    model, draws = network(name), torch.Generator().manual_seed(5)
    some = torch.cat([images(i) for i in range(20)])
    assert len(some) > 2 * ASKED
    others = []
    for _ in range(2):
        other = copy.deepcopy(model)
        for units in units_of(other):
            units.permute(torch.randperm(units.count, generator=draws))
        match(other, model, some)
        others.append(other)
    with torch.inference_mode():
        assert torch.allclose(mean([model, *others])(some), model(some), atol=1e-5)


def test_correlation_is_numpys_however_the_samples_come():
    draws = np.random.default_rng(0)
    theirs, ours = draws.normal(size=(300, 5)) + 40, draws.normal(size=(300, 4)) * 1e-3
    ours[:, 2] = 0.1  # says always the same
    theirs[:, 0] = ours[:, 1] * 1e4 + 7
    whole, parts = _Together(), _Together()
    whole.add(torch.tensor(theirs), torch.tensor(ours))
    for part in range(0, 300, 64):
        parts.add(torch.tensor(theirs[part : part + 64]), torch.tensor(ours[part : part + 64]))
    spread = [0, 1, 3]
    by_hand = np.corrcoef(theirs.T, ours[:, spread].T)[:5, 5:]
    for found in (whole.likeness().numpy(), parts.likeness().numpy()):
        np.testing.assert_allclose(found[:, spread], by_hand, atol=1e-7)
        assert (found[:, 2] == 0).all() and found[0, 1] == pytest.approx(1)


def test_no_more_images_than_asked_go_through_at_a_time():
    """Large images would fill the memory."""
    seen = []

    class Watched(nn.Module):
        def forward(self, x):
            seen.append(len(x))
            return x

    one, other = network("cnn"), network("cnn", 1)
    one.relu1 = nn.Sequential(one.relu1, Watched())
    match(one, other, torch.cat([images(i) for i in range(20)]))
    assert seen and max(seen) <= ASKED and sum(seen) == 180


@pytest.mark.parametrize("how", ["merge", "distil"])
def test_runs_of_other_splits_are_refused(tmp_path, capsys, weights_of, how):
    """One would be judged on images that it was trained on, and look better than it is."""
    folders = [str(weights_of(spec(MLP, split_seed=split)).parent) for split in (0, 1)]
    (tmp_path / "job.json").write_text(
        json.dumps({"from": folders, "train": {"epochs": int(how == "distil")}})
    )
    assert main(["job", how, str(tmp_path / "job.json"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert "was trained on images that judge another" in said and "\n" not in said
    assert not (tmp_path / "out" / "weights.safetensors").exists()


def test_runs_of_one_split_are_not_refused_whatever_their_seed(weights_of):
    sources = opened(weights_of, spec(MLP, split_seed=0), spec(MLP, split_seed=1))
    with pytest.raises(SpecError, match="was trained on images that judge another"):
        check_judges(sources.sessions)
    check_judges(opened(weights_of, spec(MLP), spec(MLP, 1)).sessions)


def test_a_page_offers_runs_that_fit():
    merging, distilling = TRANSFORMS["merge"], TRANSFORMS["distil"]
    base = spec(MLP)
    assert fits(merging, base, spec(MLP, seed=7)) and fits(distilling, base, spec(NORM, seed=7))
    assert not fits(merging, base, spec(NORM))
    assert not fits(merging, base, spec(MLP, train_images=300))  # normalised by other images
    assert fits(distilling, base, spec(MLP, train_images=300))
    for how in (merging, distilling):
        assert not fits(how, base, spec(MLP, split_seed=1))
        assert not fits(how, base, spec(MLP, validation_share=0.3))
        assert not fits(how, base, spec(MLP, split_seed=None, seed=3))  # the run's own seed splits
        assert fits(how, base, spec(MLP, split_seed=None, seed=0))
