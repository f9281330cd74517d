import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.presets import PRESETS
from core.run.address import MAX_CHARACTERS, decode, encode
from core.run.errors import SpecError
from core.run.spec import DataSpec, RunSpec


@pytest.mark.parametrize("name", PRESETS)
def test_a_spec_survives_the_address(name):
    spec = PRESETS[name].spec
    assert decode(encode(spec)) == spec
    assert len(encode(spec)) < 400


def test_an_address_needs_no_escaping():
    assert encode(RunSpec(name="ünïcode & more")).replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_any_text_is_a_spec_or_one_refusal(text):
    try:
        decode(text)
    except SpecError as refusal:
        assert "\n" not in str(refusal)


def test_a_bomb_is_refused():
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(b" " * 5_000_000) + packer.flush()
    text = base64.urlsafe_b64encode(bomb).decode().rstrip("=")
    assert len(text) < MAX_CHARACTERS
    with pytest.raises(SpecError, match="can't be read"):
        decode(text)


def test_a_cut_off_link_says_so():
    with pytest.raises(SpecError, match="cut off"):
        decode(encode(PRESETS["all-three"].spec)[:-8])


def test_a_link_opens_no_file_of_the_server():
    with pytest.raises(SpecError, match="can't open a file"):
        decode(encode(RunSpec(data=DataSpec(name="folder", path="/etc"))))
    upload = RunSpec(data=DataSpec(name="folder", path="upload:" + "0" * 64))
    assert decode(encode(upload)) == upload
