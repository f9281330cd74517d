"""Seeds that are held apart: what is drawn by which, and that a spec without them is what it was."""

import hashlib
import json

import pytest

from core.catalogues import completed
from core.run.address import decode, encode
from core.run.digest import canonical, digest
from core.run.errors import SpecError
from core.run.spec import RunSpec, SeedsSpec, parse, values_of, with_setting

PURPOSES = tuple(SeedsSpec.model_fields)


def test_each_purpose_has_the_runs_own_seed_until_it_is_given_one():
    spec = parse({"seed": 3, "seeds": {"weights": 7}})
    assert {purpose: spec.seed_of(purpose) for purpose in PURPOSES} == {
        "order": 3, "weights": 7, "augment": 3, "dropout": 3,
    }  # fmt: skip
    assert with_setting(spec, "seeds.order=0").seed_of("order") == 0  # and not the run's own
    assert with_setting(spec, "seeds.weights=null") == parse({"seed": 3})


def test_a_spec_without_them_is_written_as_before_they_could_be_held_apart():
    spec = RunSpec(seed=3)
    written = {name: value for name, value in values_of(spec).items() if name != "seeds"}
    assert written["optimiser"].pop("schedule_params") == {}  # of a schedule without any neither
    assert json.loads(spec.to_json()) == written
    data = {name: value for name, value in written["data"].items() if name not in ("fit", "split_seed")}
    described = {name: value for name, value in written.items() if name != "name"} | {"data": data}
    whole = {"kind": "train", "spec": described, "inputs": {}, "edits": [], "parents": []}
    assert digest("train", spec) == hashlib.sha256(canonical(whole).encode()).hexdigest()
    assert encode(parse({"seeds": {}})) == encode(RunSpec())


@pytest.mark.parametrize("purpose", PURPOSES)
def test_one_that_is_held_apart_is_in_the_json_the_address_and_the_digest(purpose):
    spec = parse({"seeds": {purpose: 5}})
    assert parse(spec.to_json()) == spec == decode(encode(spec)) != RunSpec()
    assert digest("train", spec) != digest("train", RunSpec())


def test_one_that_is_the_runs_own_is_said_in_one_way():
    spec = completed(parse({"seed": 3, "seeds": {"order": 3, "augment": 4}}))
    assert spec.seeds == SeedsSpec(augment=4)


@pytest.mark.parametrize("seeds", [{"order": -1}, {"order": 2**31}, {"order": 1.5}, {"split": 1}, None, [1]])
def test_what_is_no_seed_is_refused(seeds):
    with pytest.raises(SpecError, match="seeds"):
        parse({"seeds": seeds})
