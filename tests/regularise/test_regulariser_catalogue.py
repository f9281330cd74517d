"""The catalogue, and specs checked against it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalogue import as_json, imported
from core.regularise.catalogue import REGULARISERS, SOLVERS
from core.regularise.check import completed_regularisers
from core.regularise.regulariser import Regulariser
from core.run.errors import SpecError
from core.run.spec import RegulariserSpec


def test_defaults_are_filled_in():
    (spec,) = completed_regularisers([RegulariserSpec(kind="elastic_net")])
    assert spec == RegulariserSpec(
        kind="elastic_net", strength=1e-4, solver="proximal", params={"l1_ratio": 0.5}
    )
    assert completed_regularisers([RegulariserSpec(kind="l2")])[0].solver == "penalty"
    assert completed_regularisers([RegulariserSpec(kind="weight_decay")])[0].solver is None
    assert completed_regularisers([]) == ()


def test_what_is_given_is_kept_and_a_second_check_changes_nothing():
    given_ = RegulariserSpec(kind="l1", strength=0.0, solver="penalty", warmup_epochs=7)
    assert completed_regularisers([given_]) == (given_,)
    for kind in REGULARISERS:
        once = completed_regularisers([RegulariserSpec(kind=kind)])
        assert completed_regularisers(once) == once


@pytest.mark.parametrize(
    ("spec", "where", "mentions"),
    [
        ({"kind": "§"}, "regularisers[1].kind", "weight_decay"),
        ({"kind": "l3"}, "regularisers[1].kind", "did you mean l2 or l1 or l0?"),
        ({"kind": "l2", "solver": "proximal"}, "regularisers[1].solver", "penalty"),
        ({"kind": "weight_decay", "solver": "penalty"}, "regularisers[1].solver", "null"),
        ({"kind": "elastic_net", "params": {"l1_ratio": 2}}, "regularisers[1].params.l1_ratio", "1"),
        ({"kind": "l1", "params": {"l1_ratio": 0.5}}, "regularisers[1].params.l1_ratio", "none"),
        ({"kind": "l1", "strength": 0.5}, "regularisers[1].kind", "add up"),
        ({"kind": "max_norm", "strength": 0.5}, "regularisers[1].strength", "set c"),
        ({"kind": "max_norm", "params": {"c": 0}}, "regularisers[1].params.c", "0.01"),
        ({"kind": "l0"}, "regularisers[0].solver", "beneath the gates"),
        ({"kind": "l0", "params": {"gates": "rows"}}, "regularisers[1].params.gates", "groups, weights"),
        ({"kind": "ema", "strength": 0.5}, "regularisers[1].strength", "decay"),
        ({"kind": "ema", "warmup_epochs": 2}, "regularisers[1].warmup_epochs", "no strength"),
        ({"kind": "label_smoothing", "strength": 0.6}, "regularisers[1].strength", "0.5"),
    ],
)
def test_refusals_name_the_field_and_say_how_to_mend_it(spec, where, mentions):
    with pytest.raises(SpecError) as refused:
        completed_regularisers([RegulariserSpec(kind="l1"), RegulariserSpec(**spec)])
    assert refused.value.where == where
    assert mentions in refused.value.what
    assert "\n" not in str(refused.value)


@settings(max_examples=50)
@given(
    st.text(max_size=12) | st.sampled_from(list(REGULARISERS)),
    st.dictionaries(st.text(max_size=8) | st.just("l1_ratio"), st.floats() | st.text(max_size=4), max_size=2),
)
def test_any_spec_is_completed_or_refused(kind, params):
    spec = RegulariserSpec.model_construct(
        kind=kind, strength=None, solver=None, warmup_epochs=0, params=params
    )
    try:
        (completed,) = completed_regularisers([spec])
    except SpecError:
        return
    assert completed.kind in REGULARISERS
    assert (completed.strength is None) == (REGULARISERS[completed.kind].default_strength is None)


@pytest.mark.parametrize("entry", REGULARISERS.values(), ids=list(REGULARISERS))
def test_every_entry_is_told_in_full(entry):
    assert REGULARISERS[entry.name] is entry
    if entry.default_strength is not None:
        assert entry.strength_low < entry.default_strength < entry.strength_high <= entry.strength_max <= 100
    assert set(entry.solvers) <= set(SOLVERS)
    assert bool(entry.penalty_note) == ("proximal" in entry.solvers)
    assert bool(entry.penalty_note) == bool(entry.penalty_effect)
    for text in filter(None, (entry.help, entry.effect, entry.penalty_effect, entry.penalty_note)):
        assert text[0].isupper() and text.endswith(".") and "  " not in text and "\n" not in text
    assert (r"\lambda" in entry.formula) == (bool(entry.solvers) or entry.name == "weight_decay")
    assert entry.formula.count("{") == entry.formula.count("}")
    assert entry.source
    described = as_json(entry)
    assert json.loads(json.dumps(described))["solvers"] == list(entry.solvers)
    assert issubclass(imported(described["makes"]), Regulariser)
    if entry.solvers:
        assert entry.symbol in entry.formula.replace(r"\lambda", "λ")


@pytest.mark.parametrize(
    "entry", [e for e in REGULARISERS.values() if len(e.solvers) > 1], ids=lambda e: e.name
)
def test_what_it_does_to_weights_depends_on_the_solver(entry):
    assert entry.effect_by(None) == entry.effect_by("proximal") == entry.effect
    assert "exactly zero" in entry.effect and "exactly zero" not in entry.effect_by("penalty")
    assert REGULARISERS["l2"].effect_by("penalty") == REGULARISERS["l2"].effect
