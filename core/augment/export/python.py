"""A pipeline as a Python script that needs torch and Kornia only, and gives the very same images.

The script's text has three sources. The constructors are those that the catalogue's builders really
called; the functions are Augury's own, copied with what they need; the rest is below.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from textwrap import fill

import kornia
import torch

from core.augment.check import completed_augment
from core.augment.export import parts
from core.augment.export.constructors import WIDTH, Constructors
from core.augment.export.sources import Function, Source
from core.augment.mixing import Mixer
from core.augment.pipeline import Pipeline
from core.run.spec import AugmentSpec

_ABOUT = '''"""{title}

In your own code:                from pipeline import augment
As a command, on image files:    python pipeline.py cat.jpg dog.png    (reads and writes them with Pillow)

What is drawn follows from the seed, the step, an operation's name and the batch's size alone. So count
your steps, and each can be repeated, bit for bit. Made with Augury for torch {torch} and kornia {kornia}.
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
    source = Source()
    made = Constructors(source)
    pipeline = made.watch(partial(Pipeline, spec, channels=channels, side=side, seed=seed))
    operations = {f"{op.entry.name}/{op.stream}": op.module for op in pipeline.ops}
    names, titles = list(operations), [op.entry.title for op in pipeline.ops]
    settings = [
        f"SEED = {seed}",
        f"STEP = {step}  # that the command shows",
        f"CHANNELS, SIDE = {channels}, {side}  # of the square images, in pixels",
    ]
    modules = [
        "# What an operation draws follows from its name and number here, and not from its place.",
        f"OPERATIONS = {made.write(operations, len('OPERATIONS = '))}",
    ]
    functions: list[Function] = [parts.draw]
    run, running, augment, main = _RUN, "OPERATIONS", _AUGMENT, _MAIN
    if spec.choose is not None:
        settings.append(f"CHOOSE = {spec.choose}  # operations for each batch, at random")
        functions.append(parts.chosen)
        running = "chosen(step)"
    if len(pipeline.groups) < len(operations):
        groups = [[names[i] for i in group] for group in pipeline.groups]
        modules.append("# In this order; what shares a list is one warp, which is faster and blurs once.")
        modules.append(f"GROUPS = {made.write(groups, len('GROUPS = '))}")
        functions.append(parts.run)
        run = _RUN_GROUPS
    if spec.mix is not None:
        mixer = made.watch(partial(Mixer, spec.mix, channels=channels, side=side, seed=seed))
        assert mixer.entry.shares is not None, "a mix that needs masks is refused"
        titles.append(mixer.entry.title)
        modules += [
            f"MIX = {made.write(mixer.module, len('MIX = '))}",
            f'MIX_NAME = "{mixer.entry.name}/mix"',
            f"MIX_VALUES = {made.write(mixer.values, len('MIX_VALUES = '))}",
            f"find_shares = {source.add(mixer.entry.shares)}",
        ]
        functions.append(parts.mix)
        augment, main = _AUGMENT_AND_MIX, _MAIN_MIXED
    before_modules = source.take()
    for function in functions:
        source.add(function)
    before_augment = source.take()
    source.add(parts.load)
    source.add(parts.save)
    source.use("sys")
    source.add(Path)
    about = _ABOUT.format(
        title=fill(f"{', '.join(titles) or 'No operation'}.", WIDTH - 3),
        torch=torch.__version__.partition("+")[0],
        kornia=kornia.__version__,
    )
    head = "\n\n".join([about, source.imports(), "\n".join(settings)])
    body = augment.format(run=run.format(operations=running))
    blocks = [*before_modules, "\n".join(modules), *before_augment, body, *source.take(), main]
    return "\n\n\n".join([head, *blocks])
