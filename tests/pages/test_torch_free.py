"""The web server imports neither torch nor Kornia, whatever page is opened."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPEN_EVERYTHING = """
import json, sys
from streamlit.testing.v1 import AppTest
from core.run.address import encode
from core.presets import FIRST_LOOK, PRESETS
from pages.features.frame.setup import jobs
from pages.features.lab.tabs import TABS
from tests.pages.visiting import RUN_PARTS, place

HEAVY = ("torch", "kornia")
found = {}

def opened(what, file, **query):
    visit = AppTest.from_file("app.py", default_timeout=120)
    if file != "app.py":
        visit.switch_page(file)
    for name, value in query.items():
        visit.query_params[name] = value
    visit.run()
    if "tab" in query:
        visit.session_state["tab"] = query["tab"]
        visit.run()
    assert not visit.exception, (what, [each.message for each in visit.exception])
    found[what] = [name for name in HEAVY if name in sys.modules]

opened("Start", "app.py")
for preset in PRESETS.values():
    opened(preset.title, "pages/2_Train.py", spec=encode(preset.spec))
for tab in TABS:
    for images in ("Photos", "Dataset"):
        opened(f"{tab}, {images}", "pages/1_Augment.py", tab=tab, images=images)
spec = PRESETS["baseline"].spec
run = jobs().submit(spec.model_copy(update={"train": spec.train.model_copy(update={"epochs": 1})}))
opened("a run that goes on", "pages/2_Train.py", run=run)
jobs().wait(run, timeout=100)
for part in RUN_PARTS:
    opened(f"a run, {part}", "pages/2_Train.py", run=run, **place(part))
short = {"seed": 1, "train": spec.train.model_copy(update={"epochs": 1})}
again = jobs().submit(spec.model_copy(update=short))
jobs().wait(again, timeout=100)
opened("Runs", "pages/3_Runs.py")
opened("Runs, as points", "pages/3_Runs.py", view="Chart")
opened("a comparison", "pages/3_Runs.py", runs=f"{run},{again}")
jobs().close()
print(json.dumps(found))
"""


def test_no_page_and_no_tab_imports_torch_or_kornia(tmp_path):
    environment = {**os.environ, "AUGURY_HOME": str(tmp_path), "AUGURY_EXECUTOR": "worker"}
    opened = subprocess.run(
        [sys.executable, "-c", OPEN_EVERYTHING], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert opened.returncode == 0, opened.stderr[-2000:]
    found = json.loads(opened.stdout.splitlines()[-1])
    assert len(found) > 20
    assert {what: names for what, names in found.items() if names} == {}
