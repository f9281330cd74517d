"""Seeds that are held apart draw what they are for, and nothing else."""

import pytest
import torch

from core.catalogues import completed
from core.run.spec import SeedsSpec, parse
from core.train.loop import run
from core.train.session import epoch_order, open_session
from core.train.step import train_step
from tests.train.small_runs import SMALL, epochs

PURPOSES = tuple(SeedsSpec.model_fields)
ALL_DRAW = SMALL | {
    "augment": {"ops": [{"op": "RandomAffine"}], "mix": {"op": "RandomMixUpV2"}},
    "model": {"arch": "cnn", "params": {"channels": [8], "hidden": 16, "dropout": 0.5}},
    "regularisers": [{"kind": "l0"}],
}


def drawn(spec):
    """What each purpose draws at step 0, and which images are kept."""
    session = open_session(spec)
    order = epoch_order(spec, 200, 1)
    images, targets = session.batch(torch.arange(64), 0)
    weights = [each.detach().clone() for each in session.model.parameters()]
    logits = train_step(session, torch.zeros_like(images), targets, 0).logits
    found = {"order": order, "weights": torch.cat([w.flatten() for w in weights]), "augment": images}
    # The logits depend on the weights too: only where these are the same do they show the masks.
    return found | {"targets": targets, "dropout": logits, "split": session.places}


BEFORE = drawn(completed(parse(ALL_DRAW)))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_another_seed_changes_its_own_draws_alone(purpose):
    after = drawn(completed(parse(ALL_DRAW | {"seeds": {purpose: 1}})))
    changed = {name for name, value in after.items() if not torch.equal(value, BEFORE[name])}
    also = {"weights": {"dropout"}, "augment": {"targets"}}.get(purpose, set())
    assert changed == {purpose} | also


def test_all_of_them_together_are_the_runs_own_seed():
    """A run of another seed and one whose seeds are all held apart are the same, bit for bit."""
    data = ALL_DRAW["data"] | {"split_seed": 0}
    base = ALL_DRAW | {"data": data, "train": SMALL["train"] | {"epochs": 2}}
    one = epochs(run(parse(base | {"seed": 9})))
    two = epochs(run(parse(base | {"seeds": dict.fromkeys(PURPOSES, 9)})))
    assert one == two != epochs(run(parse(base)))
