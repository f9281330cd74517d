"""The same as `core.export.kinds.script`, as a notebook: a lesson to go through cell by cell."""

from __future__ import annotations

from pathlib import Path

from core.export.script.build import about, sections
from core.export.script.data import write_data
from core.export.script.start import write_start
from core.export.source import Asked
from core.text.escape import plain

TRAIN = """history = []
for told in train():
    print(json.dumps(told), flush=True)
    history.append(told)"""

DRAW = """for told in history:
    share = told["validation_accuracy"]
    print(f"epoch {told['epoch']:3}  {'#' * round(50 * share):50}  {100 * share:.1f} %")"""


def write(asked: Asked, folder: Path) -> None:
    """``train.ipynb`` and ``data.npz``."""
    import nbformat
    from nbformat import v4

    shape = write_data(asked.run.spec, folder)
    imports, made = sections(asked.run, shape, lambda name: f'"{name}"', write_start(asked.run, folder))
    name, *rest = about(asked.run).split("\n\n")
    cells = [
        v4.new_markdown_cell("\n\n".join([f"# {plain(name)}", *map(plain, rest)])),
        v4.new_code_cell(imports),
    ]
    for each in made:
        cells.append(v4.new_markdown_cell(f"## {each.heading}\n\n{each.text}"))
        cells.append(v4.new_code_cell(each.code))
    cells.append(v4.new_code_cell(TRAIN))
    cells.append(v4.new_markdown_cell("## What came out\n\nValidation accuracy after each epoch."))
    cells.append(v4.new_code_cell(DRAW))
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i}"  # the same run gives the same file
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.validate(notebook)
    nbformat.write(notebook, folder / "train.ipynb")
