"""What browsers may send to the lab's components: bounded, and nothing else gets in."""

import base64

import pytest

from pages.components import order_list, paste


def text(image: bytes) -> str:
    return base64.b64encode(image).decode()


def test_images_come_out_as_they_went_in():
    images = [bytes(range(256)), b"", b"\x89PNG"]
    assert paste.read([text(image) for image in images]) == paste.Pasted(tuple(images))


@pytest.mark.parametrize("message", [None, {}, "AAAA", 3, [1], [None], ["AAAA", 2]])
def test_a_message_that_is_no_list_of_texts_brings_nothing(message):
    found = paste.read(message)
    assert found.images == () and "paste it again" in found.refused[0]


@pytest.mark.parametrize("broken", ["A", "AAA", "AA=A", "AAAA\n", "A-_A", "ÄAAA"])
def test_base64_is_read_strictly_and_the_good_ones_stay(broken):
    found = paste.read([text(b"one"), broken, text(b"two")])
    assert found.images == (b"one", b"two")
    assert found.refused == ("Pasted image 2 did not arrive whole; paste it again.",)


def test_sizes_and_number_are_bounded(monkeypatch):
    monkeypatch.setattr(paste, "MAX_BYTES", 10)
    monkeypatch.setattr(paste, "MAX_TOTAL", 25)
    monkeypatch.setattr(paste, "MAX_IMAGES", 4)
    sizes = [10, 11, 10, 6, 5]
    found = paste.read([text(b"x" * size) for size in sizes])
    assert [len(image) for image in found.images] == [10, 10]
    assert [sentence.split()[2] for sentence in found.refused[:2]] == ["2", "4"]
    assert found.refused[2] == "Only the first 4 pasted images were taken."


def act(**changed):
    return {"act": "move", "id": "a", "index": 0, "to": 1, "number": 1} | changed


def test_acts_are_read():
    assert order_list._read([act()]) == [order_list.OrderEvent("move", "a", 0, 1, to=1)]


@pytest.mark.parametrize(
    "message",
    [None, "move", [act(act="explode")], [act(index=-1)], [act(to=-1)], [act(id=None)], [{}], [act()] * 65],
)
def test_acts_that_our_script_never_sends_are_left_alone(message):
    assert order_list._read(message) == []
