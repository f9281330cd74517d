"""What a person's choices are completed to, and what is refused, in which words."""

import pytest

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.ops.mixes import MIXES
from core.run.errors import SpecError
from core.run.spec import AugmentSpec, MixSpec, OpSpec, RunSpec, parse


def refusal(spec: AugmentSpec, channels: int = 3) -> str:
    with pytest.raises(SpecError) as error:
        completed_augment(spec, channels)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_spec_is_completed_from_the_catalogue_and_then_stays_as_it_is():
    spec = AugmentSpec(ops=tuple(OpSpec(op=name) for name in OPERATIONS)[:32])
    whole = completed_augment(spec, 3)
    affine = next(op for op in whole.ops if op.op == "RandomAffine")
    assert affine.p == 1.0 and affine.stream == 0
    assert affine.params == {
        "degrees": [-10.0, 10.0],
        "translate": 0.1,
        "scale": [0.9, 1.1],
        "shear": [0.0, 0.0],
        "padding_mode": "zeros",
        "resample": "bilinear",
    }
    assert completed_augment(whole, 3) == whole
    run = RunSpec(augment=whole)
    assert parse(run.to_json()) == run


def test_what_was_chosen_is_kept():
    op = OpSpec(op="RandomRotation", p=0.25, stream=7, enabled=False, params={"degrees": [-3, 90]})
    (whole,) = completed_augment(AugmentSpec(ops=(op,)), 1).ops
    assert (whole.p, whole.stream, whole.enabled) == (0.25, 7, False)
    assert whole.params == {"degrees": [-3.0, 90.0], "resample": "bilinear"}


@pytest.mark.parametrize(
    ("op", "says"),
    [
        (
            OpSpec(op="RandomRotate"),
            "augment.ops[1].op: there is no operation called 'RandomRotate'; did you mean RandomRotation",
        ),
        (OpSpec(op="colorjiggle"), "did you mean ColorJiggle or ColorJitter?"),
        (OpSpec(op="§"), "there is no operation called '§'; there are RandomHorizontalFlip, "),
        (
            OpSpec(op="RandomRotation", params={"degrees": [-400, 0]}),
            "augment.ops[1].params.degrees[0]: RandomRotation: -400 is below the smallest allowed, -180 °.",
        ),
        (
            OpSpec(op="RandomRotation", params={"degrees": 10}),
            "augment.ops[1].params.degrees: RandomRotation: 10 is not a pair of numbers [low, high].",
        ),
        (
            OpSpec(op="RandomAffine", params={"scale": [1.2, 0.8]}),
            "augment.ops[1].params.scale: RandomAffine: the first number, 1.2, is above the second, 0.8.",
        ),
        (
            OpSpec(op="RandomHorizontalFlip", params={"degrees": 10}),
            "augment.ops[1].params.degrees: RandomHorizontalFlip has no such parameter; it has none.",
        ),
        (
            OpSpec(op="RandomCrop", p=0.5),
            "augment.ops[1].p: RandomCrop cuts all images of a batch or none, so p must be 1, not 0.5.",
        ),
        (OpSpec(op="RandomResizedCrop", p=0.0, enabled=False), "so p must be 1, not 0."),
    ],
)
def test_a_refusal_names_the_operation_and_the_parameter(op, says):
    assert says in refusal(AugmentSpec(ops=(OpSpec(op="RandomErasing"), op)))


def test_a_value_out_of_bounds_names_its_operation_in_words_too():
    with pytest.raises(SpecError) as refused:
        completed_augment(AugmentSpec(ops=(OpSpec(op="RandomGamma", params={"gamma": [0.5, 99]}),)), 3)
    assert refused.value.where == "augment.ops[0].params.gamma[1]"
    assert refused.value.what.startswith("RandomGamma: 99 is above")


@pytest.mark.parametrize("name", [name for name, entry in OPERATIONS.items() if entry.colour_only])
def test_colour_operations_are_refused_on_grey_images_unless_switched_off(name):
    says = refusal(AugmentSpec(ops=(OpSpec(op=name),)), channels=1)
    assert says.startswith(f"augment.ops[0].op: {name} changes colours, and these images have one channel")
    completed_augment(AugmentSpec(ops=(OpSpec(op=name, enabled=False),)), 1)


def test_no_more_can_be_chosen_than_are_switched_on():
    ops = (OpSpec(op="RandomErasing"), OpSpec(op="RandomCrop", enabled=False))
    assert refusal(AugmentSpec(ops=ops, choose=2)) == (
        "augment.choose: 2 operations can't be chosen from the 1 that are switched on; "
        "choose fewer, or leave it out to run them all."
    )
    assert completed_augment(AugmentSpec(ops=ops, choose=1), 3).choose == 1


@pytest.mark.parametrize("name", MIXES)
def test_a_mix_is_completed_from_its_catalogue_and_then_stays_as_it_is(name):
    whole = completed_augment(AugmentSpec(mix=MixSpec(op=name)), 1, has_masks=True)
    assert whole.mix.p == MIXES[name].default_p
    assert list(whole.mix.params) == [parameter.name for parameter in MIXES[name].parameters]
    assert completed_augment(whole, 1, has_masks=True) == whole
    run = RunSpec(augment=whole)
    assert parse(run.to_json()) == run


@pytest.mark.parametrize(
    ("mix", "says"),
    [
        (
            MixSpec(op="CutMix"),
            "augment.mix.op: there is no mix called 'CutMix'; did you mean RandomCutMixV2",
        ),
        (MixSpec(op="mixup"), "there is no mix called 'mixup'; did you mean RandomMixUpV2?"),
        (MixSpec(op="§"), "there is no mix called '§'; there are RandomMixUpV2, "),
        (
            MixSpec(op="RandomMixUpV2", params={"lambda_val": [0.5, 1.5]}),
            "augment.mix.params.lambda_val[1]: RandomMixUpV2: 1.5 is above the largest allowed, 1",
        ),
        (
            MixSpec(op="RandomCutMixV2", params={"num_mix": 0}),
            "augment.mix.params.num_mix: RandomCutMixV2: 0 is below the smallest allowed, 1 cuts.",
        ),
        (
            MixSpec(op="PatchMix", params={"alpha": 1}),
            "augment.mix.params.alpha: PatchMix has no such parameter; it has patch_size.",
        ),
        (
            MixSpec(op="RandomTransplantation"),
            "augment.mix.op: RandomTransplantation needs masks that say what each pixel belongs to, and a "
            "classifier's images have labels only; choose one of RandomMixUpV2, RandomCutMixV2, ",
        ),
    ],
)
def test_a_refusal_names_the_mix_and_the_parameter(mix, says):
    assert says in refusal(AugmentSpec(mix=mix))
