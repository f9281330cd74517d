"""The Augment page: add, tune, move, remove and put back; draws; images of all three kinds."""

import io

import pytest
from PIL import Image
from visiting import spec_of

from core.address import encode
from core.augment import CATALOGUE
from core.spec import AugmentSpec, OpSpec, RunSpec

PAGE = "pages/1_Augment.py"


def ops(visit):
    return [op.op for op in spec_of(visit).augment.ops]


def button(visit, name):
    return next(each for each in visit.button if name in (each.label, each.help))


def results(visit):
    """The pictures that the results' gallery shows, as data URIs."""
    return [tile["src"] for tile in gallery(visit, "results")]


def gallery(visit, key):
    import json

    for element in visit.get("bidi_component"):
        if f"-{key}" in element.proto.id or element.proto.id.endswith(key):
            message = json.loads(element.proto.bytes if element.proto.bytes else element.proto.json)
            return [
                tile | {"before": None if tile["before"] is None else message["originals"][tile["before"]]}
                for tile in message["tiles"]
            ]
    raise AssertionError(f"no gallery {key}")


def test_it_opens_with_three_operations_that_change_sixteen_images(open_page):
    visit = open_page(PAGE)
    assert ops(visit) == ["RandomAffine", "RandomErasing", "RandomGaussianNoise"]
    tiles = gallery(visit, "results")
    assert len(tiles) == 16
    assert all(tile["src"] != tile["before"] for tile in tiles)
    assert any(line["name"] == "Affine" and "°" in line["value"] for line in tiles[0]["lines"])


def test_a_new_draw_is_another_and_the_same_seed_the_same(open_page):
    visit = open_page(PAGE)
    first = results(visit)
    button(visit, "New draw").click().run()
    assert results(visit) != first
    assert results(open_page(PAGE)) == first


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_operation_can_be_added_and_seen(open_page, name):
    visit = open_page(PAGE, spec=encode(RunSpec()))
    visit.selectbox[0].set_value(name).run()
    assert not visit.exception and not visit.error
    assert ops(visit) == [name]
    assert len(results(visit)) == 16


def test_move_duplicate_remove_and_put_back(open_page):
    visit = open_page(PAGE)
    button(visit, f"Move down {CATALOGUE['RandomAffine'].title}").click().run()
    assert ops(visit) == ["RandomErasing", "RandomAffine", "RandomGaussianNoise"]
    button(visit, f"Duplicate {CATALOGUE['RandomErasing'].title}").click().run()
    assert ops(visit) == ["RandomErasing", "RandomErasing", "RandomAffine", "RandomGaussianNoise"]
    button(visit, f"Remove {CATALOGUE['RandomAffine'].title}").click().run()
    assert "RandomAffine" not in ops(visit)
    button(visit, f"Put {CATALOGUE['RandomAffine'].title.lower()} back").click().run()
    assert ops(visit) == ["RandomErasing", "RandomErasing", "RandomAffine", "RandomGaussianNoise"]
    assert not visit.exception


def test_a_slider_changes_the_pictures_and_nothing_elses_draws(open_page):
    visit = open_page(PAGE)
    before = gallery(visit, "results")
    visit.slider(
        key=next(s.key for s in visit.slider if "RandomErasing" in s.key and s.key.endswith(".p"))
    ).set_value(1.0).run()
    after = gallery(visit, "results")
    assert [t["src"] for t in before] != [t["src"] for t in after]
    assert [t["lines"][0] for t in before] == [t["lines"][0] for t in after]


def test_colour_on_grey_images_is_said_not_thrown(open_page):
    spec = RunSpec(augment=AugmentSpec(ops=(OpSpec(op="RandomHue"),)))
    visit = open_page(PAGE, spec=encode(spec))
    visit.segmented_control[0].set_value("data").run()
    assert not visit.exception
    assert any("colour" in each.value for each in [*visit.error, *visit.warning])


def test_own_images_good_and_bad(open_page):
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 30, 30)).save(picture, "PNG")
    visit = open_page(PAGE)
    visit.segmented_control[0].set_value("yours").run()
    visit.file_uploader[0].upload("good.png", picture.getvalue())
    visit.file_uploader[0].upload("bad.png", b"no picture").run()
    assert not visit.exception
    assert any("bad.png" in each.value for each in visit.warning)
    assert len(results(visit)) == 16


def test_train_with_this_carries_the_operations_over(open_page):
    visit = open_page(PAGE)
    button(visit, "Train with this").click().run()
    assert not visit.exception
    assert visit.title[0].value == "Train"
    assert ops(visit) == ["RandomAffine", "RandomErasing", "RandomGaussianNoise"]
