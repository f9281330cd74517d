"""What the landing page's cards show is what the code makes now."""

import base64
import io
import json

import numpy as np
from PIL import Image

from pages.features.start.families import SHOWN
from tests.make_families import families


def pixels(source):
    with Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1]))) as image:
        return np.asarray(image).astype(int)


def test_the_cards_show_what_the_code_makes():
    shown, made = json.loads(SHOWN.read_text(encoding="utf-8")), json.loads(json.dumps(families()))
    assert shown["structures"] == made["structures"]
    assert len(shown["pictures"]) == len(made["pictures"]) == 6
    for before, now in zip(shown["pictures"], made["pictures"], strict=True):
        assert abs(pixels(before) - pixels(now)).max() <= 2
