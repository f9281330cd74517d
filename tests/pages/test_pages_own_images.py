"""A person's own images live on between the pages: loose pictures, which can't be trained on, and a zip."""

import io
import zipfile

import pytest
from PIL import Image
from test_pages_augment import component, said
from visiting import spec_of

from core.data.catalogue import DATASETS
from core.run.address import encode
from core.run.spec import DataSpec, RunSpec
from core.text.escape import plain
from pages.features.images import own_images
from pages.features.images.after_reload import Pictures, Tabs
from tests import in_process

AUGMENT, TRAIN = "pages/1_Augment.py", "pages/2_Train.py"


def picture(shade=0):
    content = io.BytesIO()
    Image.new("RGB", (20, 20), (200, shade, 0)).save(content, "PNG")
    return content.getvalue()


def zipped(*folders, each=12):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for f, folder in enumerate(folders):
            for i in range(each):
                archive.writestr(f"{folder}/{i}.png", picture(100 * f + 3 * i))
    return content.getvalue()


def box(visit, label):
    return next(each for each in visit.selectbox if each.label == label)


def labels(visit):
    return {each.label for kind in ("slider", "number_input", "button") for each in getattr(visit, kind)}


def go(visit, page):
    visit.switch_page(page).run()
    assert not visit.exception
    return visit


@pytest.fixture(autouse=True)
def decoded_here(monkeypatch):
    in_process.answers(monkeypatch)


def test_loose_pictures_say_that_train_uses_others_and_live_on(open_page):
    visit = open_page(AUGMENT)
    visit.segmented_control(key="images").set_value("yours").run()
    assert "no labels" not in said(visit)
    for shade in (10, 20):
        visit.file_uploader[0].upload(f"{shade}.png", picture(shade), "image/png").run()
    title = plain(DATASETS["mnist5k"].title)
    told = f"These 2 pictures have no labels; Train uses {title}. To train on your own, upload"
    assert told in said(visit)
    go(visit, TRAIN)
    assert spec_of(visit).data.name == "mnist5k"
    go(visit, "app.py")
    go(visit, AUGMENT)
    assert told in said(visit) and "Forget 2 pictures" in labels(visit)
    next(each for each in visit.button if each.label == "Upload a zip").click().run()
    assert (
        box(visit, "Dataset").value == "folder"
        and visit.file_uploader[0].label == "Zip of one folder a class"
    )


def test_a_zip_chosen_on_train_is_what_augment_shows_with_all_classes_in_turn(open_page):
    visit = open_page(TRAIN)
    box(visit, "Images").set_value("folder").run()
    visit.file_uploader[0].upload("x.zip", zipped("a", "b", "c")).run()
    path = spec_of(visit).data.path
    go(visit, AUGMENT)
    assert visit.segmented_control(key="images").value == "data" and box(visit, "Dataset").value == "folder"
    shown = [tile["caption"] for tile in component(visit, "results")["tiles"]]
    assert shown[:6] == ["a", "b", "c", "a", "b", "c"]
    box(visit, "Dataset").set_value("digits").run()
    go(visit, TRAIN)
    assert spec_of(visit).data.path is None
    box(visit, "Images").set_value("folder").run()  # the zip is still there
    assert spec_of(visit).data.path == path and "Your images are here" in said(visit)


def test_a_zip_chosen_on_augment_is_what_train_uses(open_page):
    visit = open_page(AUGMENT)
    visit.segmented_control(key="images").set_value("data").run()
    box(visit, "Dataset").set_value("folder").run()
    assert not visit.error and component(visit, "results")["tiles"]  # the photographs until there is one
    visit.file_uploader[0].upload("x.zip", zipped("a", "b")).run()
    path = spec_of(visit).data.path
    assert path
    go(visit, TRAIN)
    assert box(visit, "Images").value == "folder" and spec_of(visit).data.path == path
    box(visit, "Start from").set_value("by-heart").run()  # a preset takes nobody's images away
    assert spec_of(visit).data.path == path and spec_of(visit).train.epochs == 30
    next(each for each in visit.button if each.label == "Undo all").click().run()
    assert spec_of(visit).data.path == path


def test_a_split_that_is_given_leaves_nothing_to_draw(open_page):
    visit = open_page(TRAIN)
    box(visit, "Images").set_value("folder").run()
    visit.file_uploader[0].upload("x.zip", zipped("a", "b")).run()
    assert {"Kept for validation (share)", "Split seed"} <= labels(visit)
    visit.file_uploader[0].upload("y.zip", zipped("train/a", "train/b", "val/a", "val/b", each=7)).run()
    assert not visit.error
    assert "This set brings its own validation images (14)." in said(visit)
    assert not {"Kept for validation (share)", "Split seed"} & labels(visit)


def test_a_link_to_images_that_are_gone_is_a_hint_at_the_upload(open_page):
    gone = RunSpec(data=DataSpec(name="folder", path="upload:" + "0" * 64))
    visit = open_page(TRAIN, spec=encode(gone))
    assert not visit.error and "upload the zip again" in said(visit)
    assert any("no longer here" in each.value for each in visit.sidebar.info)


def test_a_reload_brings_loose_pictures_back_to_their_tab_alone(open_page, monkeypatch):
    names = {"now": "a" * 32}
    monkeypatch.setattr(own_images, "TABS", Tabs())
    monkeypatch.setattr(own_images, "name_of_tab", lambda: names["now"])
    visit = open_page(AUGMENT, images="Yours")
    visit.file_uploader[0].upload("a.png", picture(), "image/png").run()
    again = open_page(AUGMENT, images="Yours")
    assert "This picture has no labels" in said(again)
    assert component(again, "results")["tiles"] == component(visit, "results")["tiles"]
    names["now"] = "b" * 32
    assert "no labels" not in said(open_page(AUGMENT, images="Yours"))
    names["now"] = "a" * 32
    next(each for each in again.button if each.label == "Forget 1 picture").click().run()
    assert "no labels" not in said(open_page(AUGMENT, images="Yours"))


def test_what_is_kept_of_tabs_is_bounded_and_ends(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("pages.features.images.after_reload.time.monotonic", lambda: clock[0])
    tabs = Tabs(most_bytes=10, seconds=5)

    def of(size):
        return Pictures({"file": ("digest", "")}, {"digest": ("x" * size, 8)})

    tabs.keep("a", of(6))
    tabs.keep("b", of(4))
    assert tabs.get("a") and tabs.get("b")
    tabs.keep("a", of(6))  # seen again
    tabs.keep("c", of(4))
    assert tabs.get("a") and tabs.get("c") and tabs.get("b") is None
    tabs.keep("d", of(11))
    assert tabs.get("d") is None
    tabs.keep("e", of(1))
    clock[0] = 6.0
    assert tabs.get("e") is None
