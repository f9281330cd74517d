"""Which fields differ, and that each can be put back by itself."""

import pytest

from core.catalogues import filled
from core.presets import PRESETS
from core.run.changes import changed, place_of_error, put_back, settings
from core.run.spec import parse

BASE = PRESETS["all-three"].spec
BASE = filled(
    BASE.model_copy(update={"optimiser": BASE.optimiser.model_copy(update={"schedule": "warm-restarts"})})
)


def made(**parts):
    return filled(parse(parts))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("other", ["baseline", "all-three", "attention"])
def test_putting_back_every_field_that_differs_gives_the_base(name, other):
    spec, base = filled(PRESETS[name].spec), filled(PRESETS[other].spec)
    while differ := changed(spec, base):
        spec = put_back(spec, base, differ[0])
        assert differ[0] not in changed(spec, base)
    assert filled(spec).choices().model_copy(update={"name": base.name}) == base.choices()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.validation_share", 0.5),
        ("data.split_seed", 7),
        ("data.train_images", 60),
        ("augment.strength", 0.5),
        ("augment.ops.RandomAffine-0.p", 0.5),
        ("augment.ops.RandomErasing-0.params.scale", [0.1, 0.2]),
        ("model.params.dropout", 0.25),
        ("regularisers.l1.strength", 0.5),
        ("regularisers.l1.warmup_epochs", 3),
        ("optimiser.lr", 0.5),
        ("optimiser.params.beta1", 0.5),
        ("optimiser.schedule_params.cycles", 7),
        ("train.epochs", 1),
    ],
)
def test_one_field_is_found_and_put_back_alone(path, value):
    values = BASE.model_dump(mode="json")
    values["seed"] = 5  # and another exam is none: the split has a seed of its own
    values["data"]["split_seed"] = 0
    values["train"]["batch_size"] = 64
    place = values
    *parents, last = path.split(".")
    for name in parents:
        if isinstance(place, list):
            place = next(each for each in place if name in (f"{each.get('op')}-0", each.get("kind")))
        else:
            place = place[name]
    place[last] = value
    spec = parse(values)
    assert changed(spec, BASE) == sorted([path, "train.batch_size"], key=list(settings(spec)).index)
    back = put_back(spec, BASE, path)
    assert changed(back, BASE) == ["train.batch_size"]
    assert back.seed == 5


def test_what_follows_from_another_choice_is_not_counted():
    base = made()
    assert changed(made(model={"arch": "mlp", "params": {"dropout": 0.1}}), base) == ["model.arch"]
    assert changed(made(optimiser={"kind": "sgd", "lr": 0.5}), base) == ["optimiser.kind"]
    own = made(data={"name": "folder", "path": "upload:" + "0" * 64, "side": 64, "channels": 1, "fit": "pad"})
    assert changed(own, base) == ["data.name"]
    assert put_back(own, base, "data.name").data == base.data
    assert changed(made(regularisers=[{"kind": "l1"}]), base) == ["regularisers"]


def test_a_list_keeps_what_was_set_in_what_stays():
    values = BASE.model_dump(mode="json")
    values["augment"]["ops"][0]["p"] = 0.25
    values["augment"]["ops"][1] = {"op": "RandomGaussianNoise"}
    values["regularisers"] = [{"kind": "l2"}]
    spec = filled(parse(values))
    assert set(changed(spec, BASE)) == {"augment.ops", "augment.ops.RandomAffine-0.p", "regularisers"}
    ops = put_back(spec, BASE, "augment.ops").augment.ops
    assert [(op.op, op.p) for op in ops] == [("RandomAffine", 0.25), ("RandomErasing", 0.25)]
    assert put_back(spec, BASE, "regularisers").regularisers == BASE.regularisers


def test_a_schedule_without_a_rise_is_constant():
    values = BASE.model_dump(mode="json")
    values["regularisers"][0]["warmup_epochs"] = 0
    spec = parse(values)
    assert changed(spec, BASE) == ["regularisers.l1.schedule"]
    assert put_back(spec, BASE, "regularisers.l1.schedule") == BASE


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ("regularisers[0].solver", "regularisers.l1.solver"),
        ("augment.ops[1].params.scale[0]", "augment.ops.RandomErasing-0.params.scale"),
        ("augment.ops[9].op", "augment.ops[9].op"),
        ("model.params.channels[1]", "model.params.channels"),
        ("train.batch_size", "train.batch_size"),
        ("", ""),
    ],
)
def test_a_refusal_has_its_place_in_the_form(where, path):
    assert place_of_error(where, BASE) == path
