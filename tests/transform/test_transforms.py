"""Networks made of trained ones, on the command line: what is told is counted again in the files."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.__main__ import main
from core.data.catalogue import load_dataset
from core.making import example
from core.probe.label_damage import open_trained
from core.run.checkpoints import LAST
from core.run.spec import parse
from core.train import loop
from core.train.checkpoint import below, read_checkpoint
from core.transform.catalogue import TRANSFORMS
from core.transform.plan import offered

NETWORKS = {
    "mlp": {"arch": "mlp", "params": {"hidden": [24, 16]}},
    "cnn": {"arch": "cnn", "params": {"channels": [8, 12], "hidden": 24, "dropout": 0.0}},
    "cnn, norm": {"arch": "cnn", "params": {"channels": [8, 12], "hidden": 24, "batch_norm": True}},
    "lstm": {"arch": "rnn", "params": {"cell": "lstm", "hidden": 20, "bidirectional": True}},
    "gru": {"arch": "rnn", "params": {"cell": "gru", "hidden": 20, "layers": 2}},
    "rnn": {"arch": "rnn", "params": {"cell": "rnn", "hidden": 20}},
    "attention": {"arch": "attention", "params": {"patch": 2, "width": 16, "heads": 4, "depth": 2}},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of trained networks, by architecture and seed; each is trained once."""
    known = {}

    def make(name, seed=0, epochs=4):
        if (name, seed, epochs) not in known:
            folder = tmp_path_factory.mktemp("run")
            spec = {
                "name": f"{name} {seed}",
                "seed": seed,
                "data": {"name": "digits", "split_seed": 0},
                "model": NETWORKS[name],
                "optimiser": {"kind": "adam", "lr": 0.01},
                "train": {"epochs": epochs, "batch_size": 64, "device": "cpu"},
            }
            (folder / "asked.json").write_text(json.dumps(spec))
            assert main(["run", str(folder / "asked.json"), "--out", str(folder / "run")]) == 0
            known[name, seed, epochs] = folder / "run"
        return known[name, seed, epochs]

    return make


def made(tmp_path, how, sources, capsys=None, **asked):
    """The result of a job, and its folder."""
    job, out = tmp_path / "job.json", tmp_path / f"made-{how}-{len(list(tmp_path.iterdir()))}"
    job.write_text(json.dumps({"from": [str(each) for each in sources], **asked}))
    status = main(["job", how, str(job), "--out", str(out)])
    if status != 0:
        return status, out
    return json.loads((out / "result.json").read_text()), out


def check_counts(result, out):
    """Every figure of a result, counted in the file of weights."""
    weights = load_file(out / "weights.safetensors")
    learned = {
        name: value
        for name, value in weights.items()
        if "running" not in name and "num_batches" not in name and "input_" not in name
    }
    assert result["parameters"] == sum(value.numel() for value in learned.values())
    assert result["zeros"] == sum(int((value == 0).sum()) for value in learned.values())
    assert result["bytes"] == (out / "weights.safetensors").stat().st_size
    for layer, told in result["layers"].items():
        own = [
            value for name, value in learned.items() if name.rpartition(".")[0] == layer and value.ndim > 1
        ]
        assert told["weights"] == sum(value.numel() for value in own)
        assert told["zeros"] == sum(int((value == 0).sum()) for value in own)
    session = open_trained(parse((out / "spec.json").read_bytes()), out, "cpu")
    with torch.inference_mode():
        images = session.normalised(session.validation.images.float().div(255))
        right = session.model(images).argmax(1) == session.validation.labels
    assert result["accuracy"] == int(right.sum()) / result["images"] and len(right) == result["images"]
    assert result["microseconds_an_image"] > 0 and result["multiply_adds"] > 0
    return session


@pytest.mark.parametrize("name", NETWORKS)
def test_figures_are_what_is_in_the_files(tmp_path, trained, name):
    base = trained(name)
    result, out = made(tmp_path, "prune", [base], params={"share": 0.8}, train={"epochs": 2})
    check_counts(result, out)
    whole = sum(each["weights"] for each in result["layers"].values())
    zeros = sum(each["zeros"] for each in result["layers"].values())
    assert zeros / whole == pytest.approx(0.8, abs=0.01)
    epochs = [
        event["sparsity"]["exact"]
        for line in (out / "events.jsonl").read_text().splitlines()
        if (event := json.loads(line))["event"] == "epoch"
    ]
    assert len(epochs) == 3 and len(set(epochs)) == 1  # held to the end
    result, out = made(tmp_path, "prune", [base], params={"what": "units", "share": 0.5}, train={"epochs": 1})
    small = check_counts(result, out)
    before = sum(value.numel() for value in load_file(base / "weights.safetensors").values())
    assert result["parameters"] < 0.85 * before
    assert sum(p.numel() for p in small.model.parameters()) == result["parameters"]
    result, out = made(tmp_path, "quantise", [base], params={"bits": 3})
    check_counts(result, out)
    assert result["packed_bytes"] < 0.6 * result["bytes"]
    # What was made is compressed further.
    again, folder = made(tmp_path, "shrink", [out])
    check_counts(again, folder)
    assert again["accuracy"] == pytest.approx(result["accuracy"], abs=0.003)


@pytest.mark.parametrize("by", ["magnitude", "gradient", "random"])
@pytest.mark.parametrize("what", ["weights", "units"])
@pytest.mark.parametrize("threshold", ["network", "layer"])
def test_a_score_and_a_threshold_say_what_goes(tmp_path, trained, by, what, threshold):
    asked = {"by": by, "what": what, "threshold": threshold, "share": 0.5}
    result, out = made(tmp_path, "prune", [trained("mlp")], params=asked)
    check_counts(result, out)
    rows = [row for row in result["rows"] if row["table"] == "layers"]
    kept, of = sum(row["kept"] for row in rows), sum(row["of"] for row in rows)
    assert kept / of == pytest.approx(0.5, abs=0.02)
    if threshold == "layer":
        assert all(row["kept"] / row["of"] == pytest.approx(0.5, abs=0.05) for row in rows)
    same, _ = made(tmp_path, "prune", [trained("mlp")], params=asked)
    assert same["accuracy"] == result["accuracy"] and same["zeros"] == result["zeros"]


def test_what_matters_goes_last(tmp_path, trained):
    """Chance is the control: what is large, or has a gradient, counts for more."""
    accuracy = {
        by: made(tmp_path, "prune", [trained("mlp")], params={"by": by, "share": 0.5})[0]["accuracy"]
        for by in ("magnitude", "gradient", "random")
    }
    assert accuracy["magnitude"] > accuracy["random"] + 0.1
    assert accuracy["gradient"] > accuracy["random"] + 0.1


def test_rewound_and_drawn_anew(tmp_path, trained):
    base = trained("mlp")
    asked = {"share": 0.6}
    plain = load_file(base / "weights.safetensors")
    kept = load_file(made(tmp_path, "prune", [base], params=asked)[1] / "weights.safetensors")
    rewound = load_file(
        made(tmp_path, "prune", [base], params=asked | {"start": "rewound"})[1] / "weights.safetensors"
    )
    anew = load_file(
        made(tmp_path, "prune", [base], params=asked | {"start": "drawn anew"})[1] / "weights.safetensors"
    )
    from core.train.session import open_session

    first = open_session(parse((base / "spec.json").read_bytes())).model.state_dict()
    for name, value in kept.items():
        mask = value != 0
        if value.ndim < 2:
            continue
        assert torch.equal(value[mask], plain[name][mask])
        assert torch.equal(rewound[name] != 0, mask) and torch.equal(rewound[name][mask], first[name][mask])
        assert torch.equal(anew[name] != 0, mask) and not torch.equal(anew[name][mask], first[name][mask])
    small, out = made(
        tmp_path, "prune", [base], params={"what": "units", "share": 0.5, "start": "drawn anew"}
    )
    check_counts(small, out)
    weights = load_file(out / "weights.safetensors")["fc2.weight"]
    rows, columns = weights.shape
    assert float(weights.abs().max()) == pytest.approx((6 / (rows + columns)) ** 0.5, rel=0.1)  # Glorot's own
    status, _ = made(tmp_path, "prune", [out], params={"start": "rewound"})
    assert status == 2


def test_rewound_to_an_early_epoch_it_has_the_weights_of_that_checkpoint(tmp_path, trained, capsys):
    base = trained("mlp")
    spec = parse((base / "spec.json").read_bytes())
    for _ in loop.run(spec, out=tmp_path / "early", until=2):
        pass
    early = below("model.", read_checkpoint(tmp_path / "early" / LAST, torch.device("cpu")).tensors)
    asked = {"share": 0.6, "start": "rewound", "rewind_epochs": 2}
    _, out = made(tmp_path, "prune", [base], params=asked, train={"epochs": 3})
    begun = load_file(made(tmp_path, "prune", [base], params=asked)[1] / "weights.safetensors")
    plain = load_file(made(tmp_path, "prune", [base], params={"share": 0.6})[1] / "weights.safetensors")
    for name, value in begun.items():
        mask = plain[name] != 0 if value.ndim > 1 else torch.ones_like(value, dtype=torch.bool)
        assert torch.equal(value[mask], early[name][mask]) and not value[~mask].any()
    assert "rewound to epoch 2" in json.loads((out / "spec.json").read_text())["name"]
    for params, source, says in (
        ({"rewind_epochs": 2}, base, "choose that as start"),
        (asked | {"rewind_epochs": 4}, base, "the run had 4 epochs"),
        (asked, out, "does not train its beginning again"),
    ):
        capsys.readouterr()
        assert made(tmp_path, "prune", [source], params=params)[0] == 2
        assert says in capsys.readouterr().err


def test_few_bits_that_were_given_at_once_are_held_when_it_is_trained_on(tmp_path, trained):
    _, bits = made(tmp_path, "quantise", [trained("mlp")], params={"bits": 3})
    _, out = made(tmp_path, "prune", [bits], params={"share": 0.5}, train={"epochs": 2})
    kinds = [each["kind"] for each in json.loads((out / "spec.json").read_text())["regularisers"]]
    assert kinds == ["hold_zeros", "quantisation"]
    weights = load_file(out / "weights.safetensors")
    assert all(len(row.unique()) <= 8 for value in weights.values() if value.ndim > 1 for row in value)
    _, student = made(
        tmp_path, "distil", [bits], model={"arch": "mlp", "params": {"hidden": [4]}}, train={"epochs": 1}
    )
    assert "quantisation" not in (student / "spec.json").read_text()


def test_of_weights_on_a_grid_so_many_go_as_are_asked_for(tmp_path, trained):
    _, bits = made(tmp_path, "quantise", [trained("mlp")], params={"bits": 2, "by": "tensor"})
    had = json.loads((bits / "result.json").read_text())["layers"]
    result, _ = made(tmp_path, "prune", [bits], params={"share": 0.85, "threshold": "layer"})
    for name, layer in result["layers"].items():
        assert layer["zeros"] == max(had[name]["zeros"], round(0.85 * layer["weights"]))


def open_trained_run(folder):
    """The network in a folder, and its validation images as it hears them."""
    session = open_trained(parse((folder / "spec.json").read_text()), folder, "cpu")
    return session.model, session.normalised(session.validation.images.float().div(255))


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_what_is_shrunk_answers_the_same_where_layers_hear_few_bits(tmp_path, trained, name):
    """A silent unit's constant is heard on the grid of the layer after it."""
    _, sparse = made(tmp_path, "prune", [trained(name)], params={"share": 0.97}, train={"epochs": 2})
    _, coarse = made(tmp_path, "quantise", [sparse], params={"bits": 8, "activations": 3})
    before, images = open_trained_run(coarse)
    result, small = made(tmp_path, "shrink", [coarse])
    after, _ = open_trained_run(small)
    with torch.no_grad():
        assert torch.allclose(before(images), after(images), atol=1e-4)
    assert result["parameters"] < json.loads((coarse / "result.json").read_text())["parameters"]


def test_networks_of_bits_are_not_averaged_in_silence(tmp_path, trained, capsys):
    base = trained("mlp")
    assert made(tmp_path, "merge", [base, base])[0] == 2
    assert "stands there twice" in capsys.readouterr().err
    bits = [made(tmp_path, "quantise", [base], params={"bits": 4, "activations": each})[1] for each in (8, 4)]
    made(tmp_path, "merge", bits)
    assert "hear numbers of different bits" in capsys.readouterr().err
    bits = [made(tmp_path, "quantise", [base], params={"bits": each})[1] for each in (3, 4)]
    result, _ = made(tmp_path, "merge", bits, params={"method": "as they are"})
    (why,) = (row["says"] for row in result["rows"] if row["table"] == "why")
    assert "it lies on no grid" in why


def test_blocks_are_taken_out_of_attention_alone(tmp_path, trained, capsys):
    result, out = made(
        tmp_path,
        "prune",
        [trained("attention")],
        params={"what": "blocks", "share": 0.5},
        train={"epochs": 1},
    )
    session = check_counts(result, out)
    assert len(session.model.blocks) == 1
    status, _ = made(tmp_path, "prune", [trained("mlp")], params={"what": "blocks"})
    assert status == 2 and "has blocks; choose weights or units" in capsys.readouterr().err
    for name, blocks in (("mlp", False), ("attention", True)):
        spec = parse((trained(name) / "spec.json").read_text())
        entry = TRANSFORMS["prune"]
        asked = {each.name: each for each in entry.parameters}
        assert ("blocks" in offered(entry, asked["what"], spec, {}).options) is blocks
        for name, chosen, there in (
            ("when", {"what": "weights", "by": "magnitude"}, True),
            ("when", {"what": "units", "by": "magnitude"}, False),
            ("when", {"what": "weights", "by": "random"}, False),
            ("rewind_epochs", {"start": "rewound"}, True),
            ("rewind_epochs", {"start": "drawn anew"}, False),
        ):
            assert (offered(entry, asked[name], spec, chosen) is not None) is there


def test_nothing_can_be_shrunk_is_said_with_its_reason(tmp_path, trained):
    result, _ = made(tmp_path, "shrink", [trained("mlp")])
    (why,) = (row["says"] for row in result["rows"] if row["table"] == "why")
    assert why.startswith("Nothing could be removed here, because no unit is zero")
    result, _ = made(tmp_path, "shrink", [trained("gru")])
    (why,) = (row["says"] for row in result["rows"] if row["table"] == "why")
    assert "every recurrent unit is read" in why


def test_two_bits_need_training(tmp_path, trained):
    base = trained("mlp")
    before = json.loads((base / "events.jsonl").read_text().splitlines()[-2])["last"]["validation_accuracy"]
    at_once, _ = made(tmp_path, "quantise", [base], params={"bits": 2})
    later, out = made(tmp_path, "quantise", [base], params={"bits": 2}, train={"epochs": 4})
    check_counts(later, out)
    assert at_once["accuracy"] < before - 0.05 and later["accuracy"] > at_once["accuracy"] + 0.05
    assert later["accuracy_at_once"] == at_once["accuracy"]  # where training begins
    alone = [row for row in later["rows"] if row["table"] == "alone"]
    assert {row["layer"] for row in alone} == {"fc1", "fc2", "fc3"}


def test_a_lenet_of_two_bits_is_saved_by_two_epochs(tmp_path):
    """On real digits: a bare rounding ruins it, training through the rounding brings it nearly back."""
    spec = {
        "data": {"name": "mnist5k", "split_seed": 0},
        "model": {"arch": "mlp"},
        "train": {"epochs": 6, "device": "cpu"},
    }
    (tmp_path / "asked.json").write_text(json.dumps(spec))
    base = tmp_path / "base"
    assert main(["run", str(tmp_path / "asked.json"), "--out", str(base)]) == 0
    before = json.loads((base / "events.jsonl").read_text().splitlines()[-2])["last"]["validation_accuracy"]
    by_tensor = {"bits": 2, "by": "tensor"}
    at_once, _ = made(tmp_path, "quantise", [base], params=by_tensor)
    later, out = made(tmp_path, "quantise", [base], params=by_tensor, train={"epochs": 2})
    check_counts(later, out)
    assert at_once["accuracy"] < before - 0.1
    assert later["accuracy"] > max(before - 0.05, at_once["accuracy"] + 0.1)
    for name, weight in load_file(out / "weights.safetensors").items():
        assert weight.ndim == 1 or len(weight.unique()) <= 3, name


def test_what_layers_hear_can_be_quantised_too(tmp_path, trained):
    for name in ("mlp", "cnn", "attention", "lstm"):
        coarse, out = made(tmp_path, "quantise", [trained(name)], params={"bits": 8, "activations": 2})
        fine, _ = made(tmp_path, "quantise", [trained(name)], params={"bits": 8, "activations": 8})
        check_counts(coarse, out)
        assert fine["accuracy"] >= coarse["accuracy"]


def test_few_bits_of_what_is_heard_are_better_on_a_range_that_is_cut(tmp_path, trained):
    right = []
    for ends_at in ("largest", "nearest"):
        asked = {"bits": 8, "activations": 2, "ends_at": ends_at}
        result, out = made(tmp_path, "quantise", [trained("attention")], params=asked)
        check_counts(result, out)
        right.append(result["accuracy"])
    assert right[1] > right[0] + 0.05


@pytest.mark.parametrize("name", ["mlp", "cnn", "cnn, norm", "attention"])
def test_a_mean_in_one_order_is_better_than_one_in_none(tmp_path, trained, name):
    runs = [trained(name, seed, epochs=8) for seed in (0, 1)]
    matched, out = made(tmp_path, "merge", runs)
    check_counts(matched, out)
    rows = {(row["way"], row["at"]): row for row in matched["rows"] if row["table"] == "path"}
    assert len(rows) == 22
    assert rows["matched", 0.5]["accuracy"] == pytest.approx(matched["accuracy"], abs=1e-9)
    if name != "attention":  # whose tokens keep their order
        assert rows["matched", 0.5]["accuracy"] > rows["as they are", 0.5]["accuracy"]
    for place, run in enumerate(runs):  # both ends are the networks
        last = json.loads((run / "events.jsonl").read_text().splitlines()[-2])["last"]
        assert rows["as they are", float(place)]["accuracy"] == last["validation_accuracy"]


def test_a_soup_of_branches_and_a_greedy_one(tmp_path, trained):
    runs = [trained("mlp", 0, epochs=8), trained("mlp", 0), trained("mlp", 1)]
    greedy, out = made(tmp_path, "merge", runs, params={"method": "greedy"})
    check_counts(greedy, out)
    compared = {
        row["what"]: row for row in greedy["rows"] if row["table"] == "compared" and "accuracy" in row
    }
    best = max(compared[f"network {i}"]["accuracy"] for i in (1, 2, 3))
    assert greedy["accuracy"] >= best and "ensemble" in compared
    status, _ = made(tmp_path, "merge", [runs[0]])
    assert status == 2


def test_a_student_is_taught(tmp_path, trained):
    student = {"arch": "mlp", "params": {"hidden": [8]}}
    result, out = made(
        tmp_path, "distil", [trained("cnn"), trained("mlp")], model=student, train={"epochs": 3}
    )
    check_counts(result, out)
    assert json.loads((out / "spec.json").read_text())["model"]["params"]["hidden"] == [8]
    soft = [row for row in result["rows"] if row["table"] == "soft labels"]
    assert len(soft) == 12 and all(sum(row["soft"]) == pytest.approx(1, abs=0.01) for row in soft)
    assert max(soft[0]["soft"]) < max(soft[-1]["hard"])  # softer
    from PIL import Image

    spec = parse((out / "spec.json").read_text())
    whole = load_dataset(spec.data)
    for row in soft:  # the picture is that of the place, and of the label
        shown = np.array(Image.open(io.BytesIO(base64.b64decode(row["image"]))))
        assert np.array_equal(shown, whole.images[row["place"]][0])
        assert whole.classes[int(whole.labels[row["place"]])] == row["label"]
    teachers = [row for row in result["rows"] if row["table"] == "compared"]
    assert len(teachers) == 2 and all(0 <= row["calibration_error"] <= 1 for row in teachers)


def test_alpha_0_is_training_without_a_teacher_bit_for_bit(tmp_path, trained):
    base = trained("mlp")
    _, out = made(tmp_path, "distil", [base], params={"alpha": 0.0}, train={"epochs": 4})
    one, other = (load_file(folder / "weights.safetensors") for folder in (base, out))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("how", TRANSFORMS)
def test_an_example_is_a_job(how, capsys):
    assert main(["job", how, "--example"]) == 0
    assert json.loads(capsys.readouterr().out) == example(how)


@pytest.mark.parametrize(
    ("how", "asked", "says"),
    [
        ("prune", {"params": {"share": 2}}, "share"),
        ("prune", {"params": {"why": 2}}, "no such parameter"),
        ("prune", {"params": {"when": "step by step"}}, "needs further training"),
        (
            "prune",
            {"params": {"when": "step by step", "what": "units"}, "train": {"epochs": 1}},
            "single weights",
        ),
        ("quantise", {"params": {"bits": 1}}, "bits"),
        ("quantise", {"params": {"activations": 1}}, "1 bit is too few"),
        ("shrink", {"model": {"arch": "mlp"}}, "keeps the architecture"),
        ("distil", {"train": {"epochs": 0}}, "has to be trained"),
        ("prune", {"train": {"epochs": 10**9}}, "1000"),
        ("prune", {"from": ["/nowhere/at/all"]}, ""),
        ("prune", {"from": []}, "from"),
        ("prune", {"__class__": 1}, ""),
    ],
)
def test_what_can_not_be_is_said_in_one_line(tmp_path, trained, capsys, how, asked, says):
    status, out = made(tmp_path, how, [trained("mlp")], **asked)
    said = capsys.readouterr().err.strip()
    assert status == 2 and says in said and "\n" not in said and not (out / "weights.safetensors").exists()


def test_small_files_travel(tmp_path, trained, capsys):
    """Packed and unpacked it is the same; archived and imported, too; and a short script loads it."""
    import subprocess
    import sys

    _, pruned = made(tmp_path, "prune", [trained("cnn")], params={"share": 0.9})
    for how, source, asked in (
        ("quantise", trained("cnn"), {"bits": 2, "by": "tensor"}),
        ("prune", trained("cnn"), {"share": 0.9}),
        ("quantise", pruned, {"bits": 4}),
    ):
        _, out = made(tmp_path, how, [source], params=asked)
        place = tmp_path / f"packed {how} {source.name}"
        assert main(["export", str(out), "--as", "packed", "--out", str(place)]) == 0
        subprocess.run([sys.executable, place / "unpack.py"], check=True)
        one, other = load_file(place / "weights.safetensors"), load_file(out / "weights.safetensors")
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in other)
        assert (place / "packed.safetensors").stat().st_size < (
            out / "weights.safetensors"
        ).stat().st_size / 3
    for name in ("cnn, norm", "gru", "attention", "mlp"):
        asked = {"what": "units", "share": 0.5}
        _, small = made(tmp_path, "prune", [trained(name)], params=asked, train={"epochs": 1})
        place = tmp_path / f"weights of {name}"
        assert main(["export", str(small), "--as", "weights", "--out", str(place)]) == 0
        subprocess.run([sys.executable, place / "load.py"], check=True, capture_output=True)
        capsys.readouterr()
        assert main(["export", str(small), "--as", "archive", "--out", str(tmp_path / f"a {name}.zip")]) == 0
    status = main(["export", str(trained("mlp")), "--as", "packed", "--out", str(tmp_path / "no")])
    assert status == 2 and "quantise or prune it first" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["archive", "report", "svg", "csv", "parquet", "weights"])
def test_what_was_never_trained_on_can_be_taken_away(tmp_path, trained, kind, capsys):
    _, out = made(tmp_path, "quantise", [trained("mlp")])
    place = tmp_path / ("away.zip" if kind == "archive" else "away")
    assert main(["export", str(out), "--as", kind, "--out", str(place)]) == 0, capsys.readouterr().err
    assert place.exists()


def test_who_stops_while_costs_are_measured_keeps_a_whole_run(tmp_path, trained):
    from core.run.commands import Control
    from core.run.events import state
    from core.transform.job import with_costs

    out = made(tmp_path, "shrink", [trained("mlp")])[1]
    control = Control()
    control.stop.set()
    spec = parse((out / "spec.json").read_bytes())
    assert list(with_costs(spec, iter([state("finished")]), control, out)) == [state("finished")]
    measured = list(with_costs(spec, iter([state("finished")]), Control(), out))
    assert [row.get("place") for row in measured] == [None, 0, None] and measured[-1] == state("finished")
