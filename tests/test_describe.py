from core.catalogues import completed
from core.presets import preset
from core.run.spec import RunSpec, parse
from core.text.describe import budget, in_words, objective, title


def test_a_spec_in_words():
    assert in_words(completed(RunSpec())) == "mnist5k · cnn 32-64-128"
    assert in_words(completed(preset("all-three"))) == (
        "mnist5k · cnn 32-64-128 · affine + erasing · L1 (lasso) 0.0003 proximal"
    )
    assert in_words(completed(preset("rnn"))) == "mnist5k · rnn 128"


def test_a_mix_and_a_strength_in_words():
    ops = [{"op": "RandomAffine"}, {"op": "RandomErasing"}]
    said = [
        (
            {"ops": ops, "mix": {"op": "RandomCutMixV2"}, "strength": 0.5},
            "affine + erasing + CutMix at strength 0.5",
        ),
        ({"ops": ops * 2, "mix": {"op": "RandomMixUpV2"}}, "4 augmentations + MixUp"),
        ({"mix": {"op": "RandomMosaic"}}, "Mosaic"),
        ({"strength": 2.0}, ""),
    ]
    for augment, words in said:
        assert in_words(completed(parse({"augment": augment}))).removeprefix("mnist5k · cnn 32-64-128") == (
            f" · {words}" if words else ""
        )


def test_the_objective_has_each_penalty_and_no_update():
    assert objective(RunSpec()) == r"\mathcal{L} = \operatorname{CE}(f_w(x), y)"
    assert r"\lVert w \rVert_1" in objective(preset("l1-sparse"))
    decayed = objective(RunSpec.model_validate_json('{"regularisers": [{"kind": "weight_decay"}]}'))
    assert decayed == objective(RunSpec())  # decoupled decay is no term of a loss
    two = objective(RunSpec.model_validate_json('{"regularisers": [{"kind": "l1"}, {"kind": "l2"}]}'))
    assert two.count(r"\lambda_{\text{L1}}") == two.count(r"\lambda_{\text{L2}}") == 1 == two.count("L1")


def test_a_run_without_a_name_is_called_what_it_is():
    assert title(preset("baseline")) == "Baseline"
    unnamed = preset("l1-sparse").model_copy(update={"name": ""})
    assert "mnist5k" not in title(unnamed) and "L1 (lasso) 0.001 proximal" in title(unnamed)


def test_a_budget_is_what_must_be_alike_to_compare_two():
    assert budget(completed(preset("by-heart"))) == "300 images · 30 epochs · Adam 0.001"
    assert budget(completed(preset("l1-sparse"))) == budget(completed(preset("l2-small")))
