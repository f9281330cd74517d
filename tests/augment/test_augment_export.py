"""Exported scripts are run where Augury can't be imported, and do what the pipeline does, bit for bit."""

import ast
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import kornia
import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import core
from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.export.python import as_python
from core.augment.export.text import as_json, as_yaml, read
from core.augment.export.versions import versions
from core.augment.mixing import Mixer
from core.augment.ops.mixes import MIXES
from core.augment.pipeline import Pipeline
from core.catalogue import Choice, Flag, Integers, Number, Range
from core.data.images import upload_images
from core.preview.results import preview
from core.run.errors import SpecError
from core.run.spec import MAX_SPEC_BYTES, AugmentSpec, MixSpec, OpSpec, RunSpec

BATCH, SIDE, CLASSES = 5, 20, 3
LABELS = torch.tensor([0, 1, 2, 1, 0])

RUNNER = """
import importlib.util, runpy, sys, torch
from pathlib import Path

class NoAugury:
    def find_spec(self, name, path=None, target=None):
        assert name.split(".")[0] not in ("core", "pages"), f"a script imports {name}"

sys.meta_path.insert(0, NoAugury())
torch.set_num_threads(1)
inputs = torch.load("inputs.pt")
results = []
for i, (images, labels, step) in enumerate(inputs):
    spec = importlib.util.spec_from_file_location(f"script_{i}", f"script_{i}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    state = torch.get_rng_state()
    if labels is None:
        results.append((script.augment(images, step), None))
    else:
        results.append(script.augment(images, labels, num_classes=3, step=step))
    assert torch.equal(torch.get_rng_state(), state)
torch.save(results, "results.pt")
for script in ("script_0.py", "script_1.py"):
    sys.argv = [script, *sorted(str(path) for path in Path().glob("photo-?.*"))]
    runpy.run_path(script, run_name="__main__")
    for path in Path().glob("*-augmented.png"):
        path.rename(f"{path.stem}-{script[7]}.png")
"""


@dataclass(frozen=True)
class Case:
    name: str
    spec: AugmentSpec
    channels: int
    seed: int = 3
    step: int = 0

    @property
    def images(self) -> torch.Tensor:
        shape = (BATCH, self.channels, SIDE, SIDE)
        return torch.rand(shape, generator=torch.Generator().manual_seed(1))

    def script(self) -> str:
        return as_python(self.spec, channels=self.channels, side=SIDE, seed=self.seed, step=self.step)

    def expected(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        spec = completed_augment(self.spec, self.channels)
        how = {"channels": self.channels, "side": SIDE, "seed": self.seed}
        images = Pipeline(spec, **how)(self.images, self.step)
        if spec.mix is None:
            return images, None
        mixer = Mixer(spec.mix, **how, strength=spec.strength)
        draws = mixer.draw(BATCH, self.step)
        return mixer.apply(images, draws), mixer.targets(LABELS, CLASSES, draws)


def another(parameter):
    """A value that is not the default."""
    if isinstance(parameter, Choice):
        return next(option for option in parameter.options if option != parameter.default)
    if isinstance(parameter, Flag):
        return not parameter.default
    assert isinstance(parameter, Number | Range)
    default = parameter.default if isinstance(parameter, Range) else (parameter.default,)
    halfway = [
        (value + (parameter.low if value == parameter.high else parameter.high)) / 2 for value in default
    ]
    values = [round(value) if parameter.integer else value for value in halfway]
    return sorted(values) if isinstance(parameter, Range) else values[0]


def cases() -> list[Case]:
    """Two to look at as commands, every operation by itself, and what goes together."""
    mixed = {name: MixSpec(op=name) for name, entry in MIXES.items() if not entry.needs_masks}
    ops = tuple(OpSpec(op=op) for op in ("RandomAffine", "RandomRotation", "RandomGaussianNoise"))
    everything = tuple(OpSpec(op=name) for name in OPERATIONS)
    found = [
        Case("command, colour", AugmentSpec(ops=ops), 3, step=4),
        Case("command, grey", AugmentSpec(ops=ops[1:]), 1),
    ]
    for name, entry in OPERATIONS.items():
        for p in {1.0, entry.default_p}:
            spec = AugmentSpec(ops=(OpSpec(op=name, p=p),))
            channels = (3,) if entry.colour_only else (1, 3)
            found += [Case(f"{name}, p = {p}, {c} channels", spec, c) for c in channels]
        for kind in (Choice, (Flag, Number, Range)):
            changed = {each.name: another(each) for each in entry.parameters if isinstance(each, kind)}
            spec = AugmentSpec(ops=(OpSpec(op=name, params=changed),))
            found += [Case(f"{name}, {changed}", spec, 3)] if changed else []
    for name in mixed:
        found += [Case(f"{name}, p = {p}", AugmentSpec(mix=MixSpec(op=name, p=p)), 3) for p in (0.5, 1.0)]
    found += [
        Case("nothing", AugmentSpec(), 3),
        Case("one off", AugmentSpec(ops=(ops[0], ops[1].model_copy(update={"enabled": False}))), 3),
        Case("twice", AugmentSpec(ops=(ops[0], ops[0], OpSpec(op="RandomAffine", stream=17))), 3, step=9),
        Case("unfused", AugmentSpec(ops=ops, fuse=False), 3),
        Case("everything", AugmentSpec(ops=everything), 3, seed=2**31 - 1, step=10**6),
    ]
    for name, mix in mixed.items():
        spec = AugmentSpec(ops=everything, choose=9, strength=0.7, mix=mix)
        found.append(Case(f"nine of everything, {name}", spec, 3))
    found += [Case(f"two of three, step {k}", AugmentSpec(ops=ops, choose=2), 3, step=k) for k in range(4)]
    found += [Case(f"strength {s}", AugmentSpec(ops=ops, strength=s), 3) for s in (0.0, 0.5, 2.0)]
    return found


CASES = cases()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """All scripts, after they have run, with their results."""
    folder = tmp_path_factory.mktemp("taken-home")
    for i, case in enumerate(CASES):
        (folder / f"script_{i}.py").write_text(case.script(), encoding="utf-8")
    labels = [LABELS if case.spec.mix else None for case in CASES]
    torch.save(
        [(case.images, label, case.step) for case, label in zip(CASES, labels, strict=True)],
        folder / "inputs.pt",
    )
    photo = np.random.default_rng(0).integers(0, 255, (90, 130, 4), np.uint8).repeat(4, 0).repeat(4, 1)
    Image.fromarray(photo[..., :3]).save(folder / "photo-a.jpg")
    Image.fromarray(photo).save(folder / "photo-b.png")
    Image.fromarray(photo[..., 0]).save(folder / "photo-c.png")
    (folder / "run.py").write_text(RUNNER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "run.py"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_every_script_does_what_the_pipeline_does_bit_for_bit(folder):
    differ = []
    for case, (images, targets) in zip(CASES, torch.load(folder / "results.pt"), strict=True):
        expected, expected_targets = case.expected()
        same = torch.equal(images, expected)
        if expected_targets is not None:
            same = same and torch.equal(targets, expected_targets)
        if not same:
            differ.append(case.name)
    assert not differ


def test_a_command_writes_what_the_page_shows(folder):
    files = [(path.name, path.read_bytes()) for path in sorted(folder.glob("photo-?.*"))]
    assert len(files) == 3
    for place, case in enumerate(CASES[:2]):
        images, bad = upload_images(files, SIDE, case.channels)
        assert not bad
        shown = preview(
            case.spec, torch.from_numpy(images), seed=case.seed, step=case.step, device="cpu"
        ).results
        for letter, expected in zip("abc", shown, strict=True):
            written = np.array(Image.open(folder / f"photo-{letter}-augmented-{place}.png"))
            assert np.array_equal(written.reshape(SIDE, SIDE, -1), expected.permute(1, 2, 0).numpy())


def test_scripts_are_clean(folder):
    ruff = [sys.executable, "-m", "ruff"]
    rules = ["--isolated", "--line-length", "110", "--target-version", "py311"]
    for command in (["check", "--select", "E,F,W,I,UP,B,C4,SIM"], ["format", "--check"]):
        scripts = sorted(str(path) for path in folder.glob("script_*.py"))
        done = subprocess.run([*ruff, *command, *rules, *scripts], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:]


def test_scripts_need_torch_and_kornia_only(folder):
    for path in folder.glob("script_*.py"):
        found = re.findall(r"^(?:import|from) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(found) <= {"torch", "kornia"} | sys.stdlib_module_names


def test_no_two_modules_of_a_script_define_the_same_name(folder):
    for path in folder.glob("script_*.py"):
        statements = ast.parse(path.read_text(encoding="utf-8")).body
        names = [each.name for each in statements if isinstance(each, ast.FunctionDef | ast.ClassDef)]
        assigned = [target for each in statements if isinstance(each, ast.Assign) for target in each.targets]
        names += [node.id for target in assigned for node in ast.walk(target) if isinstance(node, ast.Name)]
        assert len(names) == len(set(names)), path


def test_every_file_names_the_versions_it_was_made_with():
    made_with = {"augury": core.__version__, "torch": "2.13.0", "kornia": "0.9.0"}
    assert (
        versions() == made_with and torch.__version__.startswith("2.13.0") and kornia.__version__ == "0.9.0"
    )
    spec = completed_augment(AugmentSpec(), 3)
    assert f"Augury {core.__version__} for torch 2.13.0 and kornia 0.9.0." in as_python(
        spec, channels=3, side=32, seed=0
    )
    assert json.loads(as_json(spec))["versions"] == yaml.safe_load(as_yaml(spec))["versions"] == made_with


def test_a_script_says_that_kornia_turns_the_other_way():
    ops = (OpSpec(op="RandomAffine", params={"degrees": [-10, 30]}),)
    text = as_python(AugmentSpec(ops=ops), channels=3, side=32, seed=0)
    assert "degrees=(-30.0, 10.0)" in text and "# RandomAffine: Kornia turns clockwise" in text
    assert "clockwise" not in as_python(AugmentSpec(), channels=3, side=32, seed=0)


def test_a_script_reads_as_a_person_would_write_it():
    spec = AugmentSpec(
        ops=(OpSpec(op="RandomHorizontalFlip"), OpSpec(op="RandomErasing", params={"value": 1}))
    )
    text = as_python(spec, channels=3, side=32, seed=7, step=2)
    assert "SEED = 7\nSTEP = 2" in text and "CHANNELS, SIDE = 3, 32" in text
    assert '"RandomHorizontalFlip/0": K.RandomHorizontalFlip(p=0.5),\n' in text
    assert (
        '"RandomErasing/0": K.RandomErasing(scale=(0.02, 0.2), ratio=(0.3, 3.3), value=1.0, p=0.5),\n' in text
    )
    assert text.count("\n") < 120 and "mix" not in text and "CHOOSE" not in text


def test_a_script_is_refused_with_a_sentence():
    with pytest.raises(SpecError, match="RandomHue changes colours"):
        as_python(AugmentSpec(ops=(OpSpec(op="RandomHue"),)), channels=1, side=32, seed=0)


def a_value(parameter):
    if isinstance(parameter, Choice):
        return st.sampled_from(parameter.options)
    if isinstance(parameter, Flag):
        return st.booleans()
    if isinstance(parameter, Integers):
        each = st.integers(parameter.low, parameter.high)
        return st.lists(each, min_size=parameter.min_length, max_size=parameter.max_length)
    low, high = parameter.low, parameter.high
    each = st.integers(int(low), int(high)) if parameter.integer else st.floats(low, high)
    if isinstance(parameter, Number):
        return each
    assert isinstance(parameter, Range)
    return st.tuples(each, each).map(sorted)


def params(entry):
    return st.fixed_dictionaries({}, optional={p.name: a_value(p) for p in entry.parameters})


@st.composite
def specs(draw):
    """Pipelines with anything that may be chosen, completed."""
    ops = []
    for stream, name in enumerate(draw(st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=5))):
        entry = OPERATIONS[name]
        p = 1.0 if entry.fixed_p else draw(st.none() | st.floats(0, 1))
        given_stream = draw(st.sampled_from((None, 900 + stream)))
        op = OpSpec(
            op=name, p=p, enabled=draw(st.booleans()), stream=given_stream, params=draw(params(entry))
        )
        ops.append(op)
    mix = None
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(MIXES)))
        mix = MixSpec(op=name, p=draw(st.floats(0, 1)), params=draw(params(MIXES[name])))
    enabled = sum(op.enabled for op in ops)
    spec = AugmentSpec(
        ops=ops,
        choose=draw(st.none() | st.integers(1, enabled)) if enabled else None,
        strength=draw(st.floats(0, 2)),
        fuse=draw(st.booleans()),
        mix=mix,
    )
    return completed_augment(spec, 3, has_masks=True)


@given(spec=specs())
@settings(max_examples=40, deadline=None)
def test_a_pipeline_is_read_back_as_it_was_written(spec):
    in_json, in_yaml = as_json(spec), as_yaml(spec)
    assert read(in_json, 3) == read(in_yaml, None) == spec
    assert read(in_yaml.encode(), 3) == spec
    # Any other reader of JSON or YAML finds the same values, and what was left out is null.
    plain = spec.model_dump(mode="json", exclude_none=True) | {"versions": versions()}
    assert json.loads(in_json) == yaml.safe_load(in_yaml) == plain
    whole = RunSpec(augment=spec)
    assert read(whole.to_json(indent=2)) == spec
    assert read(yaml.safe_dump(whole.model_dump(mode="json"))) == spec


def test_json_and_yaml_read_as_a_person_would_write_them():
    spec = completed_augment(AugmentSpec(ops=(OpSpec(op="RandomErasing", p=1e-05),), choose=1), 3)
    assert as_yaml(spec).splitlines() == [
        "ops:",
        "- op: RandomErasing",
        "  p: 1.0e-05",
        "  enabled: true",
        "  stream: 0",
        "  params:",
        "    scale: [0.02, 0.2]",
        "    ratio: [0.3, 3.3]",
        "    value: 0.5",
        "choose: 1",
        "strength: 1.0",
        "fuse: true",
        f"versions: {{augury: {core.__version__}, torch: 2.13.0, kornia: 0.9.0}}",
    ]
    assert '        "scale": [0.02, 0.2],\n' in as_json(spec)


def test_yaml_written_by_hand_is_read():
    text = """
    # what I use for digits
    ops:
    - {op: RandomAffine, params: {degrees: [-1e1, +10], translate: .1}}
    - op: RandomGaussianBlur
      enabled: False
      p: 1e-4
    choose: ~
    strength:   0.5
    mix:
    """
    with pytest.raises(SpecError, match=r"^augment.strenth: .* See line 1\.$"):
        read("strenth: 0.5")
    spec = read(text)
    assert [op.p for op in spec.ops] == [1.0, 1e-4] and spec.ops[0].params["degrees"] == [-10.0, 10.0]
    assert not spec.ops[1].enabled and spec.choose is None and spec.mix is None and spec.strength == 0.5


NINES = "9" * 5000
REFUSED = {
    "ops:\n- op: RandomAffine\n  p: 1.5": r"augment\.ops\[0\]\.p: 1\.5 is above .*1\.0\. See line 3\.",
    '{"ops": [\n{"op": "RandomAffin"}]}': r"augment\.ops\[0\]\.op: .*mean RandomAffine.* See line 2\.",
    "ops:\n- op: RandomAffine\n  params:\n    scale: [1,\n      9]": r".* RandomAffine: 9 is .* See line 5\.",
    "ops:\n- p: 1": r"augment\.ops\[0\]\.op: this field is needed\. See line 2\.",
    "version: 1\naugment:\n  ops: 3": r"augment\.ops: 3 is not a list\. See line 3\.",
    "train:\n  epochs: 0": r"train\.epochs: 0 is below .* See line 2\.",
    "ops: []\nops: []": r"Line 2 can't be read as YAML: 'ops' is there twice\.",
    '{"ops": [],\n"ops": []}': r"Line 2 can't be read as YAML: 'ops' is there twice\.",
    '{"ops":\n [}': r"Line 2 is not valid JSON: Expecting value\.",
    '{"ops":\n\t[{"op": "RandomAffine", "p": 2}]}': r"augment\.ops\[0\]\.p: 2 is above .* See line 2\.",
    "ops:\n\t- x": r"Line 2 can't be read as YAML: found character '\\t' .*",
    "a: &a [1]\nops: [*a]": r"Line 1 can't be read as YAML: anchors and aliases .*",
    "ops:\n- *a": r"Line 2 can't be read as YAML: anchors and aliases .*",
    "ops:\n- !!python/object/apply:os.getcwd []": r"Line 2 can't be read as YAML: tags .*",
    "\n! x": r"Line 2 can't be read as YAML: tags .*",
    "1: 2": r"Line 1 can't be read as YAML: a name before ':' must be text\.",
    "[1]: 2": r"Line 1 can't be read as YAML: a name before ':' must be text\.",
    "- " * 40: r"Line 1 can't be read as YAML: this is nested deeper than any pipeline is\.",
    "[" * 60_000: r"Line 1 can't be read as YAML: this is nested deeper than any pipeline is\.",
    '{"ops":' * 500 + "1" + "}" * 500: r"The spec is not valid JSON: recursion limit .*",
    "[" * 400 + "]" * 400: r"Line 1 starts no pipeline.*",
    f"choose: {NINES}": r"Line 1 can't be read as YAML: the number is too long\.",
    f'{{"choose": {NINES}}}': r"Line 1 can't be read as YAML: the number is too long\.",
    f"choose: 0x{'f' * 5000}": r"Line 1 can't be read as YAML: the number is too long\.",
    "ops: [" + "1," * 30_000: r"Line 1 can't be read as YAML: this holds more values than any pipeline has\.",
    "strength: ._": r"augment\.strength: '\._' is not a number\. See line 1\.",
    "choose: 2001-01-01": r"augment\.choose: '2001-01-01' is not a whole number\. See line 1\.",
    "strength: .inf": r"augment\.strength: inf is not a finite number\. See line 1\.",
    "strength: 1e999": r"augment\.strength: inf is not a finite number\. See line 1\.",
    '{"strength": NaN}': r"augment\.strength: nan is not a finite number\. See line 1\.",
    "fuse: yes": r"augment\.fuse: 'yes' is not true or false\. See line 1\.",
    "a: 1\nb: \0": r"Line 2 holds a character that YAML does not allow\.",
    b"ops: []\n# \xff": r"Line 2 is not text in UTF-8; save the file as UTF-8\.",
    "--- {}\n--- {}": r"Line 2 can't be read as YAML: but found another document\.",
    "": r"Line 1 starts no pipeline; .*",
    "- op: RandomAffine": r"Line 1 starts no pipeline; .*",
    "#" * (MAX_SPEC_BYTES + 1): r"This is longer than 64 kB; .*",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:30]))
def test_what_cannot_be_read_is_refused_in_a_sentence_with_the_line(text):
    with pytest.raises(SpecError) as refusal:
        read(text)
    assert re.fullmatch(REFUSED[text], str(refusal.value)), str(refusal.value)


@given(
    text=st.text(st.sampled_from("{}[]:,-&*!|>'\"?# \n\t\\0a~.e%@`é\ud800"), max_size=40)
    | st.binary(max_size=40)
)
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        assert isinstance(read(text), AugmentSpec)
    except SpecError as refusal:
        assert "\n" not in str(refusal) and refusal.what


def test_colour_is_asked_for_only_where_the_channels_are_known():
    text = "ops: [{op: RandomHue}]"
    assert read(text, None) == read(text, 3)
    with pytest.raises(SpecError, match=r"RandomHue changes colours.* See line 1\."):
        read(text, 1)
