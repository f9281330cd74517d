"""Writing a kind of file, and putting it where it was asked for."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from core.catalogue import imported, look_up
from core.export.catalogue import EXPORTS, MOST_RUNS, Export
from core.export.source import Asked
from core.run.errors import SpecError

EPOCH_OF_ZIPS = (1980, 1, 1, 0, 0, 0)  # the same run gives the same zip, byte for byte


def export(kind: str, asked: Asked, out: Path) -> list[Path]:
    """Write ``asked`` as a kind of file.

    Args:
        out: a file, or a folder that is there. Several files go into a folder of that name, which is made;
            into a zip if the name ends in ``.zip``; and if it ends as the main file's, the main file
            is called so and the others lie beside it.

    Returns:
        What was written, the main file first.

    Raises:
        SpecError: there is no such kind, it can't be made of this, or not be written there.
    """
    entry = look_up(EXPORTS, kind, "--as", "kind of export")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="augury-export-") as made:
            return _put(entry, written(entry, asked, Path(made)), out)
    except OSError as error:
        raise SpecError("--out", f"{out} can't be written: {error.strerror or error}.") from None


def written(entry: Export, asked: Asked, folder: Path) -> list[Path]:
    """Write a kind's files into ``folder``, which is there and empty; the main file first.

    Raises:
        SpecError: it can't be made of this.
    """
    if len(asked.runs) > (MOST_RUNS if entry.several else 1):
        many = f"at most {MOST_RUNS} runs" if entry.several else "one run"
        raise SpecError("RUN", f"{entry.name} tells of {many}; {len(asked.runs)} are given.")
    entry.check_installed()
    if entry.wants_weights:
        for run in asked.runs:
            run.with_weights()
    imported(entry.write)(asked, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    main = folder / entry.file
    assert main in files, f"{entry.write} has not written {entry.file}"
    return [main, *(path for path in files if path != main)]


def as_one_file(files: Sequence[Path], folder: Path, out: Path) -> None:
    """The only one of ``files``, or a zip of all, which lie in ``folder``, as ``out``."""
    if len(files) == 1:
        shutil.copyfile(files[0], out)
        return
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            about = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH_OF_ZIPS)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            archive.writestr(about, path.read_bytes())


def _put(entry: Export, files: Sequence[Path], out: Path) -> list[Path]:
    main, folder = files[0], files[0].parent
    if len(files) == 1 or (out.suffix == ".zip" and not out.is_dir()):
        out = out / entry.file if out.is_dir() else out
        as_one_file(files, folder, out)
        return [out]
    if out.suffix == main.suffix and not out.is_dir():
        root, names = out.parent, {main: out.name}
    else:
        root, names = out, {}
    put = []
    for path in files:
        place = root / names.get(path, str(path.relative_to(folder)))
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        put.append(place)
    return put
