"""An upload that a run in the queue needs is not removed to make room for another."""

import io
import zipfile

import pytest
from PIL import Image
from visiting import manager, spec_of

from core.catalogues import completed
from core.data import uploads
from core.data.uploads import keep_upload, resolve_path
from core.run.errors import SpecError
from core.run.spec import DataSpec, ModelSpec, RunSpec, TrainSpec
from tests import in_process


def zipped(shade):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for i in range(24):
            picture = io.BytesIO()
            Image.new("RGB", (20, 20), (255 * (i % 2), i, shade)).save(picture, "PNG")
            archive.writestr(f"{'ab'[i % 2]}/{i}.png", picture.getvalue())
    return content.getvalue()


def test_an_upload_that_a_run_needs_stays_until_the_run_has_ended(open_page, monkeypatch):
    in_process.answers(monkeypatch)
    monkeypatch.setattr(uploads, "MOST_BYTES", 1)
    needed = keep_upload(zipped(40)).path
    spec = RunSpec(
        data=DataSpec(name="folder", path=needed),
        model=ModelSpec(arch="mlp", params={"hidden": [8]}),
        train=TrainSpec(epochs=1000),
    )
    run_id = manager().submit(completed(spec))
    manager().wait_for_step(run_id, 60)
    visit = open_page("pages/2_Train.py")
    next(each for each in visit.selectbox if each.label == "Images").set_value("folder").run()
    visit.file_uploader[0].upload("x.zip", zipped(80)).run()
    assert resolve_path(needed).is_file() and spec_of(visit).data.path != needed
    manager().stop(run_id)
    manager().wait(run_id, timeout=60)
    visit.file_uploader[0].upload("y.zip", zipped(120)).run()
    with pytest.raises(SpecError, match="no longer here"):
        resolve_path(needed)
