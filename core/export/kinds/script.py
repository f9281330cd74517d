"""One Python file that trains the run again, and the images it needs."""

from __future__ import annotations

from pathlib import Path

from core.export.script.build import about, sections
from core.export.script.data import write_data
from core.export.script.start import write_start
from core.export.source import Asked

HEAD = '''"""{about}
"""

from __future__ import annotations
'''

MAIN = """if __name__ == "__main__":
    for told in train():
        print(json.dumps(told), flush=True)
"""


def _beside(name: str) -> str:
    return f'Path(__file__).with_name("{name}")'


def write(asked: Asked, folder: Path) -> None:
    """``train.py`` and ``data.npz``; of a branch ``start.npz``, too."""
    shape = write_data(asked.run.spec, folder)
    imports, made = sections(asked.run, shape, _beside, write_start(asked.run, folder))
    blocks = [f"# {each.heading}.\n\n{each.code}" for each in made]
    head = HEAD.format(about=about(asked.run).replace("\\", "\\\\").replace('"', '\\"'))
    text = f"{head}\n{imports}\n\n" + "\n\n\n".join([*blocks, MAIN])
    (folder / "train.py").write_text(text, encoding="utf-8")
