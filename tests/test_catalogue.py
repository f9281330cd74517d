"""Parameters' bounds, and what every entry of every catalogue must say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.augment.catalogue import OPERATIONS
from core.augment.ops.mixes import MIXES
from core.catalogue import Choice, Entry, Flag, Integers, Number, Range, completed_params, look_up
from core.catalogues import bounded, listing
from core.catalogues import completed as complete_spec
from core.data.catalogue import DATASETS
from core.models.catalogue import ARCHITECTURES
from core.optimise.catalogue import OPTIMISERS
from core.presets import FIRST_LOOK, PRESETS
from core.regularise.catalogue import REGULARISERS
from core.run.errors import SpecError
from core.run.spec import parse

ENTRIES = [
    entry
    for catalogue in (OPERATIONS, DATASETS, ARCHITECTURES, REGULARISERS, OPTIMISERS)
    for entry in catalogue.values()
]
ENTRY = Entry(
    name="e",
    title="E",
    help="",
    source="",
    parameters=(
        Number("n", 1.0, 0.0, 2.0, "", unit="px"),
        Number("whole", 3, 1, 9, "", integer=True),
        Range("range", (0.0, 1.0), -1.0, 1.0, ""),
        Integers("widths", (8, 8), 1, 64, "", max_length=3),
        Choice("word", "a", ("a", "b"), ""),
        Flag("flag", False, ""),
    ),
)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_says_what_it_is_and_its_defaults_are_allowed(entry):
    assert entry.title and entry.help.endswith(".") and entry.source
    assert all(parameter.help for parameter in entry.parameters)
    assert completed_params(entry, {}, "x") == completed_params(entry, completed_params(entry, {}, "x"), "x")


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"n": 3}, "x.n: 3 is above the largest allowed, 2 px."),
        ({"n": "3"}, "x.n: '3' is not a number."),
        ({"n": math.nan}, "is not a number"),
        ({"n": True}, "is not a number"),
        ({"whole": 2.5}, "x.whole: 2.5 is not a whole number."),
        ({"range": [1, 0]}, "the first number, 1, is above the second, 0"),
        ({"range": [0]}, "is not a pair"),
        ({"range": [0, 5]}, r"x.range\[1\]: 5 is above"),
        ({"widths": []}, "it has 0 numbers; 1 to 3 are allowed"),
        ({"widths": "8"}, "is not a list of whole numbers"),
        ({"word": "c"}, "'c' is not one of a, b"),
        ({"flag": 1}, "is not true or false"),
        ({"nn": 1}, "e has no such parameter; it has n, whole"),
    ],
)
def test_refusals_name_the_place_the_value_and_the_bound(given_, says):
    with pytest.raises(SpecError, match=says):
        completed_params(ENTRY, given_, "x")


# What JSON can hold, and so what a spec can.
JSON = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**400)
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers() | st.floats() | st.text(max_size=2), max_size=4)
)


@given(
    st.dictionaries(
        st.sampled_from(["n", "whole", "range", "widths", "word", "flag"]),
        JSON | st.floats() | st.lists(st.floats()),
    )
)
def test_anything_is_within_bounds_or_refused(given_):
    try:
        done = completed_params(ENTRY, given_, "x")
    except SpecError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert 0 <= done["n"] <= 2 and 1 <= done["whole"] <= 9 and done["range"][0] <= done["range"][1]


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(SpecError, match="there is no thing called 'z'; there are e"):
        look_up({"e": ENTRY}, "z", "where", "thing")


def test_the_listing_holds_every_entry_once():
    names = [entry["name"] for entries in listing().values() for entry in entries]
    assert {entry.name for entry in ENTRIES} <= set(names)
    assert len(listing()["operations"]) == len(OPERATIONS)
    assert len(listing()["mixes"]) == len(MIXES)


@pytest.mark.parametrize("spec", [*(preset.spec for preset in PRESETS.values()), FIRST_LOOK])
def test_every_preset_can_run_and_is_within_bounds(spec):
    completed = complete_spec(bounded(spec))
    assert parse(completed.to_json()) == completed
    assert complete_spec(completed) == completed
