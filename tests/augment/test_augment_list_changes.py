"""What a person does to a pipeline, and that it leaves the other operations' streams alone."""

from core.augment import list_changes
from core.run.spec import AugmentSpec, OpSpec

FLIP, HUE = OpSpec(op="RandomHorizontalFlip"), OpSpec(op="RandomHue")
SPEC = AugmentSpec(ops=(FLIP, HUE, FLIP), choose=3, strength=0.5)


def places(spec: AugmentSpec) -> list[tuple[str, int | None]]:
    return [(op.op.removeprefix("Random"), op.stream) for op in spec.ops]


def test_streams_go_with_their_operations_and_a_copy_takes_a_free_one():
    assert places(SPEC) == [("HorizontalFlip", 0), ("Hue", 0), ("HorizontalFlip", 1)]
    assert places(list_changes.moved(SPEC, 2, 0)) == [
        ("HorizontalFlip", 1),
        ("HorizontalFlip", 0),
        ("Hue", 0),
    ]
    assert places(list_changes.removed(SPEC, 0)) == [("Hue", 0), ("HorizontalFlip", 1)]
    assert places(list_changes.duplicated(SPEC, 0))[1] == ("HorizontalFlip", 2)
    assert places(list_changes.added(SPEC, "RandomHue"))[3] == ("Hue", 1)


def test_no_more_are_chosen_than_are_left_on_and_the_rest_stays():
    assert list_changes.removed(SPEC, 1).choose == 2
    assert list_changes.changed(SPEC, 0, enabled=False).choose == 2
    assert list_changes.removed(AugmentSpec(ops=(FLIP,), choose=1), 0).choose is None
    assert list_changes.added(SPEC, "RandomHue").choose == 3
    assert list_changes.removed(SPEC, 1).strength == 0.5
