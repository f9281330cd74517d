import math
import re

import pytest
import torch

from core.catalogues import completed
from core.optimise.build import build_optimiser
from core.optimise.catalogue import OPTIMISERS, completed_optimiser
from core.optimise.entry import OptimiserEntry
from core.optimise.schedules import SCHEDULES
from core.regularise.catalogue import REGULARISERS
from core.regularise.step_sizes import step_sizes
from core.run.errors import SpecError
from core.run.spec import OptimiserSpec, RegulariserSpec, RunSpec
from core.text.refusals import in_words


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_each_minimises_a_parabola(kind):
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimiser = build_optimiser(completed_optimiser(OptimiserSpec(kind=kind, lr=0.05)), [weight], [])
    for _ in range(400):
        optimiser.zero_grad()
        (weight**2).sum().backward()
        optimiser.step()
    assert abs(weight.item()) < 0.1


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_each_takes_one_step_as_its_paper_says(kind):
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimiser = build_optimiser(completed_optimiser(OptimiserSpec(kind=kind, lr=0.1)), [weight], [])
    weight.grad = torch.tensor([4.0])
    optimiser.step()
    # After one step Adam's corrected mean over its root is the gradient's sign; RMSprop's running
    # square is 1 % of the gradient's. A weight alone is no matrix, so Muon leaves it to AdamW.
    expected = {
        "sgd": 0.4,
        "adam": 0.1,
        "adamw": 0.1 + 0.1 * 0.01,
        "rmsprop": 0.1 / math.sqrt(0.01),
        "lion": 0.1 + 0.1 * 0.05,
        "muon": 0.1 + 0.1 * 0.01,
    }
    assert 1 - weight.item() == pytest.approx(expected[kind], rel=1e-4)


def test_adamw_decays_weights_only():
    weight, bias = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    optimiser = build_optimiser(
        completed_optimiser(OptimiserSpec(kind="adamw", params={"weight_decay": 0.5})), [weight], [bias]
    )
    weight.grad = bias.grad = torch.zeros(1)
    optimiser.step()
    assert bias.item() == 1 and weight.item() == pytest.approx(1 - 1e-3 * 0.5)


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_schedule_leaves_the_range(name):
    shape = completed_optimiser(OptimiserSpec(schedule=name)).schedule_params
    factors = [SCHEDULES[name].factor(i / 1000, **shape) for i in range(1001)]
    assert min(factors) >= 0 and max(factors) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "adagrad"}, "there is no optimiser called 'adagrad'"),
        ({"schedule": "linear"}, "there is no schedule called 'linear'"),
        ({"schedule": "warm-restarts", "schedule_params": {"cycles": 11}}, "the largest allowed, 10"),
        ({"schedule": "cosine", "schedule_params": {"cycles": 2}}, "cosine has no such parameter"),
        ({"kind": "muon", "params": {"beta1": 0.9}}, "muon has no such parameter"),
        ({"kind": "sgd", "params": {"momentum": 1.0}}, "above the largest allowed, 0.99"),
        ({"kind": "sgd", "params": {"momentum": 0.0, "nesterov": True}}, "Nesterov needs momentum"),
        ({"kind": "adam", "params": {"momentum": 0.9}}, "no such parameter"),
    ],
)
def test_refusals(given, says):
    with pytest.raises(SpecError, match=says):
        completed_optimiser(OptimiserSpec(**given))


def adagrad():
    return OptimiserEntry(
        name="adagrad",
        title="Adagrad",
        help="A toy.",
        source="",
        makes="torch.optim:Adagrad",
        arguments=lambda params: {"lr_decay": 0.0},
        step_size=lambda params, lr, gradient: lr,
        lr_default=0.01,
        lr_low=1e-3,
        lr_high=1.0,
    )


def test_an_entry_alone_adds_an_optimiser_and_proximal_steps_know_whether_they_can_follow_it(monkeypatch):
    monkeypatch.setitem(OPTIMISERS, "adagrad", adagrad())
    spec = RunSpec(optimiser=OptimiserSpec(kind="adagrad"))
    weight = torch.nn.Parameter(torch.ones(1))
    assert isinstance(build_optimiser(completed(spec).optimiser, [weight], []), torch.optim.Adagrad)
    by_penalty = (RegulariserSpec(kind="l1", solver="penalty"),)
    assert completed(spec.model_copy(update={"regularisers": by_penalty})).regularisers[0].solver == "penalty"
    with pytest.raises(SpecError, match="how long the steps of Adagrad are; solve L1 by penalty") as refused:
        completed(spec.model_copy(update={"regularisers": (RegulariserSpec(kind="l1"),)}))
    assert refused.value.where == "regularisers[0].solver"


PROXIMAL = [kind for kind, entry in REGULARISERS.items() if "proximal" in entry.solvers]


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_proximal_steps_can_follow_what_says_so(kind):
    weight = torch.nn.Parameter(torch.ones(1, 1))
    optimiser = build_optimiser(completed_optimiser(OptimiserSpec(kind=kind)), [weight], [])
    weight.grad = torch.ones(1, 1)
    optimiser.step()
    if OPTIMISERS[kind].proximal:
        assert step_sizes(optimiser, [weight])
    else:
        with pytest.raises(AssertionError):
            step_sizes(optimiser, [weight])


@pytest.mark.parametrize("regulariser", PROXIMAL)
@pytest.mark.parametrize("kind", OPTIMISERS)
def test_a_proximal_step_goes_with_an_optimiser_or_is_refused_with_the_reason(kind, regulariser):
    assert len(PROXIMAL) == 3
    spec = RunSpec(
        optimiser=OptimiserSpec(kind=kind),
        regularisers=(RegulariserSpec(kind=regulariser, solver="proximal"),),
    )
    entry, title = OPTIMISERS[kind], REGULARISERS[regulariser].short
    if entry.proximal:
        assert completed(spec).regularisers[0].solver == "proximal"
        return
    assert entry.why_not_proximal.startswith(entry.title.split()[0])
    said = f"{entry.why_not_proximal}; solve {title} by penalty, or choose another optimiser."
    with pytest.raises(SpecError, match=re.escape(said)) as refused:
        completed(spec)
    assert in_words(refused.value) == f"Regularisers, number 1, solver: {said}"
