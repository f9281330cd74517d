"""A pipeline as a Python script that needs torch and Kornia only, and gives the very same images.

The script's text has three sources. The constructors are the catalogue's: an entry's class and arguments.
Code of ours is copied, whole modules at a time (`core.augment.export.embedding`). The rest is below. Nothing
here needs torch.
"""

from __future__ import annotations

from textwrap import fill
from typing import Any

from core.augment.catalogue import OPERATIONS
from core.augment.check import completed_augment
from core.augment.entry import AugmentEntry
from core.augment.export.embedding import Script
from core.augment.export.literals import WIDTH, Call, literal
from core.augment.export.versions import versions
from core.augment.ops.mixes import MIXES
from core.augment.strength import scaled
from core.augment.warp_groups import warp_groups
from core.run.spec import AugmentSpec, MixSpec, OpSpec

_PARTS = "core.augment.export.script."

_ABOUT = '''"""{title}

In your own code:                from pipeline import augment
As a command, on image files:    python pipeline.py cat.jpg dog.png    (reads and writes them with Pillow)

What is drawn follows from the seed, the step, an operation's name and the batch's size alone. So count
your steps, and each can be repeated, bit for bit.

Made with Augury {augury} for torch {torch} and kornia {kornia}.
"""

from __future__ import annotations'''

_AUGMENT = '''@torch.no_grad()
def augment(images: Tensor, step: int) -> Tensor:
    """Float images (B, CHANNELS, SIDE, SIDE) in [0, 1], augmented: the same shape and range."""
{run}
    return images'''

_AUGMENT_AND_MIX = '''@torch.no_grad()
def augment(images: Tensor, labels: Tensor, num_classes: int, step: int) -> tuple[Tensor, Tensor]:
    """Float images (B, CHANNELS, SIDE, SIDE) in [0, 1], augmented and mixed: the same shape and range.

    Also their labels, from whole numbers (B,): the share of each class, float (B, num_classes).
    """
{run}
    return mix(images, labels, num_classes, step)'''

_RUN = """\
    for name, operation in {operations}.items():
        drawn = draw(name, operation, images.shape, step)
        images = operation(images, params=drawn).clamp(0, 1)"""

_RUN_GROUPS = """\
    drawn = {{name: (op, draw(name, op, images.shape, step)) for name, op in {operations}.items()}}
    for group in GROUPS:
        images = run([drawn[name] for name in group if name in drawn], images)"""

_MAIN = """if __name__ == "__main__":
    paths = sys.argv[1:] or sys.exit(f"Which images? For example: python {sys.argv[0]} cat.jpg dog.png")
    results = augment(torch.stack([load(path) for path in paths]), step=STEP)
    for path, image in zip(paths, results, strict=True):
        save(image, f"{Path(path).stem}-augmented.png")
"""

_MAIN_MIXED = """if __name__ == "__main__":
    paths = sys.argv[1:] or sys.exit(f"Which images? For example: python {sys.argv[0]} cat.jpg dog.png")
    images, labels = torch.stack([load(path) for path in paths]), torch.arange(len(paths))
    results, targets = augment(images, labels, num_classes=len(paths), step=STEP)
    for path, image, target in zip(paths, results, targets.tolist(), strict=True):
        save(image, f"{Path(path).stem}-augmented.png")
        print(path, "has these shares of the images:", *(f"{share:.3f}" for share in target))
"""


def as_python(spec: AugmentSpec, *, channels: int, side: int, seed: int, step: int = 0) -> str:
    """A script whose ``augment(images, step)`` does what `Pipeline` does with this seed, bit for bit.

    With a mix it is ``augment(images, labels, num_classes, step)``, and gives the mixed labels too.

    Args:
        channels: 1 or 3.
        side: of the square images, in pixels.
        seed: of the run, or of the preview.
        step: that the script shows when it is run as a command.

    Raises:
        SpecError: the spec is refused, as `core.augment.check` has it.
    """
    spec = completed_augment(spec, channels)
    script = Script()
    enabled = [op for op in spec.ops if op.enabled]
    operations = {
        f"{op.op}/{op.stream}": operation_call(script, OPERATIONS[op.op], op, spec, side) for op in enabled
    }
    names, titles = list(operations), [OPERATIONS[op.op].title for op in enabled]
    settings = [
        f"SEED = {seed}",
        f"STEP = {step}  # that the command shows",
        f"CHANNELS, SIDE = {channels}, {side}  # of the square images, in pixels",
    ]
    entries = dict.fromkeys(op.op for op in enabled)
    made = [
        "# What an operation draws follows from its name and number here, and not from its place.",
        *(f"# {name}: {note}" for name in entries if (note := OPERATIONS[name].note)),
        _assigned("OPERATIONS", operations),
    ]
    parts = ["draw"]
    run, running, augment, main = _RUN, "OPERATIONS", _AUGMENT, _MAIN
    if spec.choose is not None:
        settings.append(f"CHOOSE = {spec.choose}  # operations for each batch, at random")
        parts.append("choose")
        running = "chosen(step)"
    groups = warp_groups(spec)
    if len(groups) < len(operations):
        made.append("# In this order; what shares a list is one warp, which is faster and blurs once.")
        made.append(_assigned("GROUPS", [[names[i] for i in group] for group in groups]))
        parts.append("warps")
        run = _RUN_GROUPS
    if spec.mix is not None:
        entry = MIXES[spec.mix.op]
        titles.append(entry.title)
        module, _, function = entry.shares.partition(":")
        script.embed(module)
        made += [
            _assigned("MIX", operation_call(script, entry, spec.mix, spec, side)),
            f'MIX_NAME = "{entry.name}/mix"',
            f"find_shares = {function}",
        ]
        parts.append("mix")
        augment, main = _AUGMENT_AND_MIX, _MAIN_MIXED
    before_made = script.take()
    for part in parts:
        script.embed(_PARTS + part)
    before_augment = script.take()
    script.embed(_PARTS + "files")
    script.use("sys")
    script.use("pathlib", "Path")
    script.use("torch")
    script.use("torch", "Tensor")
    about = _ABOUT.format(title=fill(f"{', '.join(titles) or 'No operation'}.", WIDTH - 3), **versions())
    head = "\n\n".join([about, script.imports(), "\n".join(settings)])
    body = augment.format(run=run.format(operations=running))
    blocks = [*before_made, "\n".join(made), *before_augment, body, *script.take(), main]
    return "\n\n\n".join([head, *blocks])


def operation_call(
    script: Script, entry: AugmentEntry, chosen: OpSpec | MixSpec, spec: AugmentSpec, side: int
) -> Call:
    """The call that makes an operation or a mix, its class imported or copied into ``script``."""
    assert chosen.p is not None, "the spec is completed"
    module, _, name = entry.makes.partition(":")
    if module == "kornia.augmentation":
        script.use(module, here="K")
        name = f"K.{name}"
    else:
        script.embed(module)
    return Call(name, entry.call(scaled(entry, chosen.params, spec.strength), chosen.p, side))


def _assigned(name: str, value: Any) -> str:
    return f"{name} = {literal(value, len(name) + 3)}"
