"""Hostile inputs of every sort that reaches `core` from outside, made by mutation:
``python -m tests.nightly.hostile_inputs --count 100000``.

Specs, addresses, pipelines as JSON and YAML, commands, edits, events, single images of every format, zips,
and what browsers say for components. Each is read by the function that pages read it with. The only answers
that are well are a value and a sentence: `SpecError`, or a picture's refusal. Prints one JSON object; the
exit status is 1 if anything else came, or a file was written.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.augment.export.text import as_json, as_yaml, read
from core.catalogues import completed
from core.data.folder import read_zip
from core.data.images import upload_images
from core.presets import FIRST_LOOK, PRESETS
from core.run.address import decode, encode
from core.run.commands import read_command
from core.run.edits import read_edits
from core.run.errors import SpecError
from core.run.events import read_event
from core.run.spec import parse

SLOW_SECONDS = 5.0  # an answer that takes longer is a fault
WORDS = ("NaN", "1e999", "-0", "null", "true", '"\\ud800"', "[]", "{}", '"' + "x" * 5000 + '"', "9" * 400)
SCALARS: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, -1e-308, 2**70, float("nan"), float("inf"), "", "x" * 3000, "\0", "cnn", "l1",
    "../../etc/passwd", "upload:" + "0" * 64, "\ud800", "![x](http://evil.example)", [], {}, [[[[[]]]]],
    {"a": {"a": {}}},
)  # fmt: skip

Sort = Callable[[random.Random], Any]


def flipped(content: bytes, rng: random.Random) -> bytes:
    """``content`` with bytes changed, cut out, doubled or put in, or cut short."""
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        at = rng.randrange(len(made) + 1)
        length = rng.choice((1, 2, 4, 64, 1024))
        match rng.randrange(5):
            case 0:
                made[at : at + length] = rng.randbytes(min(length, len(made) - at))
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[at : at + length] * rng.choice((1, 2, 8))
            case 3:
                made[at:at] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", rng.randbytes(8)))
            case _:
                del made[at:]
    return bytes(made)


def disfigured(value: Any, rng: random.Random, depth: int = 0) -> Any:
    """A JSON value with one or more of its parts put in another's place."""
    if depth > 8 or rng.random() < 0.02:
        return rng.choice(SCALARS)
    if isinstance(value, dict):
        made = {key: disfigured(item, rng, depth + 1) for key, item in value.items()}
        if rng.random() < 0.02:
            made[rng.choice(("op", "kind", "x", "__proto__", ""))] = rng.choice(SCALARS)
        if made and rng.random() < 0.03:
            del made[rng.choice(list(made))]
        return made
    if isinstance(value, list):
        made = [disfigured(item, rng, depth + 1) for item in value]
        return made * rng.choice((1,) * 30 + (70,)) if made else [rng.choice(SCALARS)]
    return value


def _spec(rng: random.Random) -> Any:
    return json.loads(rng.choice(list(PRESETS.values())).spec.to_json())


def spec_as_bytes(rng: random.Random) -> Any:
    text = json.dumps(_spec(rng)).encode()
    if rng.random() < 0.3:
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(WORDS).encode() + text[at + rng.randrange(8) :]
    return completed(parse(flipped(text, rng)))


def spec_as_values(rng: random.Random) -> Any:
    return completed(parse(json.dumps(disfigured(_spec(rng), rng))))


def address(rng: random.Random) -> Any:
    text = encode(rng.choice(list(PRESETS.values())).spec)
    return decode(flipped(text.encode(), rng).decode("utf-8", "replace"))


def pipeline(rng: random.Random) -> Any:
    write = rng.choice((as_json, as_yaml))
    return read(flipped(write(FIRST_LOOK.augment).encode(), rng), rng.choice((None, 1, 3)))


def pipeline_of_values(rng: random.Random) -> Any:
    return read(json.dumps(disfigured(json.loads(as_json(FIRST_LOOK.augment)), rng)), 3)


def command(rng: random.Random) -> Any:
    kinds = [
        {"command": "pause"}, {"command": "stop"}, {"command": "edit", "set": {"optimiser.lr": 0.1}},
        {"command": "checkpoint", "name": "x"},
    ]  # fmt: skip
    made = rng.choice(kinds)
    for _ in range(4):  # it has so few parts that once would leave most as they are
        made = disfigured(made, rng)
    return read_command(made) if isinstance(made, dict) else None


def edits(rng: random.Random) -> Any:
    return read_edits(json.dumps(disfigured([{"step": 3, "set": {"optimiser.lr": 0.1}}], rng)))


def event(rng: random.Random) -> Any:
    kinds = [
        {"event": "state", "state": "finished", "reason": ""},
        {"event": "step", "step": 3, "loss": 0.5, "penalty": 0.1, "learning_rate": 0.1, "epoch": 0.1},
        {"event": "row", "title": "x", "right": 3},
    ]
    try:
        return read_event(json.dumps(disfigured(rng.choice(kinds), rng)))
    except ValueError as error:  # what it says that it raises: such a row is left out
        raise SpecError("event", type(error).__name__) from None


def _images() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 4), dtype=np.uint8)
    made = []
    for form, mode, how in (
        ("PNG", "RGB", {}), ("PNG", "RGBA", {}), ("PNG", "P", {"transparency": 3}), ("PNG", "I;16", {}),
        ("JPEG", "RGB", {}), ("JPEG", "L", {"progressive": True}), ("JPEG", "CMYK", {}),
        ("WEBP", "RGB", {}), ("WEBP", "RGBA", {"lossless": True}), ("BMP", "RGB", {}), ("BMP", "1", {}),
        ("GIF", "P", {}), ("TIFF", "RGB", {}), ("TIFF", "I;16", {}), ("TIFF", "F", {}),
        ("TIFF", "L", {"compression": "tiff_lzw"}),
    ):  # fmt: skip
        image = Image.fromarray(pixels)
        image = Image.new("I;16", (50, 40), 999) if mode == "I;16" else image.convert(mode)
        stream = io.BytesIO()
        image.save(stream, form, **how)
        made.append(stream.getvalue())
    return made


IMAGES = _images()


def image(rng: random.Random) -> Any:
    pixels, refusals = upload_images([("x", flipped(rng.choice(IMAGES), rng))], rng.choice((8, 64)), 3)
    assert len(pixels) + len(refusals) == 1
    return pixels


def _zip(rng: random.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for i in range(6):
            name = (
                rng.choice(("a", "b", "a/b", "..", "C:", "/etc", "a\\b", "\u202e", ""))
                if rng.random() < 0.1
                else "ab"[i % 2]
            )
            content = rng.choice(IMAGES)
            archive.writestr(f"{name}/{i}.png", flipped(content, rng) if rng.random() < 0.1 else content)
    return stream.getvalue()


def archive(rng: random.Random) -> Any:
    content = _zip(rng)
    return read_zip(io.BytesIO(flipped(content, rng) if rng.random() < 0.4 else content), side=8).told()


def arrays(rng: random.Random) -> Any:
    """An ``.npz`` whose entries, or whose bytes, are disfigured."""
    x = np.random.default_rng(0).integers(0, 256, (6, 9, 9), dtype=np.uint8)
    entries = {}
    for name, value in (("x", x), ("y", np.arange(6) % 2)):
        stream = io.BytesIO()
        np.save(stream, value)
        entries[name] = flipped(stream.getvalue(), rng) if rng.random() < 0.5 else stream.getvalue()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    content = packed.getvalue()
    return read_zip(io.BytesIO(flipped(content, rng) if rng.random() < 0.2 else content)).told()


def table(rng: random.Random) -> Any:
    """Flat images beside a table of labels that is disfigured."""
    rows = "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(6))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(6):
            archive.writestr(f"{i}.png", IMAGES[i % len(IMAGES)])
        archive.writestr("labels.csv", flipped(f"name,label\n{rows}".encode(), rng))
    return read_zip(io.BytesIO(packed.getvalue()), side=8).told()


def browser(rng: random.Random) -> Any:
    from pages.components import order_list, paste

    acts = [{"act": "move", "id": "a", "index": 0, "to": 1, "number": 1}]
    order_list._read(disfigured(acts * rng.choice((1, 3, 65)), rng))
    return paste.read(disfigured(["aGVsbG8=", "data:image/png;base64,AAAA"], rng))


SORTS: dict[str, Sort] = {
    each.__name__: each
    for each in (
        spec_as_bytes, spec_as_values, address, pipeline, pipeline_of_values, command, edits, event, image,
        archive, arrays, table, browser,
    )
}  # fmt: skip


def tried(count: int, seed: int) -> dict[str, Any]:
    """So many inputs of all sorts in turn: how many of each were taken and refused, and what went wrong."""
    taken: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    for i in range(count):
        name = list(SORTS)[i % len(SORTS)]
        began = time.monotonic()
        try:
            SORTS[name](random.Random(f"{seed} {i}"))
            taken[name] += 1
        except SpecError as error:
            refused[name] += 1
            if not str(error) or len(str(error)) > 2000:
                faults.append(f"{name} {i}: no sentence: {str(error)[:200]!r}")
        except Exception:
            faults.append(f"{name} {i}: {traceback.format_exc()[-1500:]}")
        seconds = time.monotonic() - began
        slowest = max(slowest, seconds)
        if seconds > SLOW_SECONDS:
            faults.append(f"{name} {i}: took {seconds:.1f} s")
    return {"taken": dict(taken), "refused": dict(refused), "slowest": round(slowest, 2), "faults": faults}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        import os

        os.environ["AUGURY_HOME"] = folder
        found = tried(options.count, options.seed)
        found["written"] = [str(path) for path in Path(folder).rglob("*")]
    found["seed"] = options.seed
    print(json.dumps(found, indent=1))
    return 1 if found["faults"] or found["written"] else 0


if __name__ == "__main__":
    sys.exit(main())
