"""A spec says what completed it, and a link made today says the same after a default has changed."""

import dataclasses
from importlib import metadata

import pytest

import core
from core.catalogues import completed, filled, versions
from core.models.catalogue import ARCHITECTURES
from core.presets import PRESETS, preset
from core.run.address import MAX_CHARACTERS, decode, encode
from core.run.spec import AugmentSpec, ModelSpec, OpSpec, RunSpec, parse


@pytest.fixture
def another_default(monkeypatch):
    """Change the default width of a network's last hidden layer; gives what it becomes."""

    def change():
        entry = ARCHITECTURES["cnn"]
        parameters = tuple(
            dataclasses.replace(each, default=77) if each.name == "hidden" else each
            for each in entry.parameters
        )
        monkeypatch.setitem(ARCHITECTURES, "cnn", dataclasses.replace(entry, parameters=parameters))
        versions.cache_clear()
        return 77

    yield change
    monkeypatch.undo()
    versions.cache_clear()


def test_a_completed_spec_says_what_completed_it():
    found = completed(RunSpec()).versions
    assert found.keys() == {"augury", "torch", "kornia", "catalogue"}
    assert (found["augury"], found["torch"]) == (core.__version__, metadata.version("torch"))
    assert len(found["catalogue"]) == 12 and completed(preset("rnn")).versions == found


def test_versions_are_no_choice():
    now = completed(RunSpec())
    before = now.model_copy(update={"versions": {"augury": "0.0.1"}})
    assert before != now and before.choices() == now.choices() and completed(before) == now
    assert parse(before.to_json()) == before


def test_a_link_made_today_says_the_same_after_a_default_has_changed(another_default):
    spec = RunSpec(augment=AugmentSpec(ops=(OpSpec(op="RandomAffine"),)))
    link, before = encode(filled(spec)), completed(spec)
    uncompleted = encode(spec)  # as older links are
    hidden = another_default()
    assert completed(spec).model.params["hidden"] == hidden != before.model.params["hidden"]
    opened = decode(link)
    assert opened.versions == before.versions
    now = completed(opened)
    assert now.choices() == before.choices()
    assert now.versions["catalogue"] != before.versions["catalogue"]
    assert completed(decode(uncompleted)).model.params["hidden"] == hidden


def test_what_is_refused_is_left_as_it_is_in_a_link():
    hue, turn = OpSpec(op="RandomHue"), OpSpec(op="RandomRotation")  # grey digits have no hue
    spec = RunSpec(augment=AugmentSpec(ops=(hue, turn)), model=ModelSpec(arch="mlp"))
    link = decode(encode(filled(spec)))
    assert link.augment.ops[0] == spec.augment.ops[0] and "degrees" in link.augment.ops[1].params
    assert link.model.params and link.versions == versions()


@pytest.mark.parametrize("name", PRESETS)
def test_a_link_stays_short(name):
    assert len(encode(filled(preset(name)))) < 700


def test_a_link_of_the_longest_pipeline_is_short_enough():
    from core.augment.catalogue import OPERATIONS

    names = list(OPERATIONS)
    ops = tuple(OpSpec(op=names[i % len(names)]) for i in range(64))
    spec = RunSpec.model_validate({"data": {"name": "arrows"}, "augment": {"ops": ops}})
    whole = filled(spec)
    assert all(op.params for op in whole.augment.ops if OPERATIONS[op.op].parameters)
    assert len(encode(whole)) < MAX_CHARACTERS / 2 and decode(encode(whole)) == whole
