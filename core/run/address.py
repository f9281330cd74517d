"""A spec as a short piece of an address, so that a link opens exactly the same choices.

What differs from a bare `RunSpec`, as JSON, deflated (RFC 1951) and in URL-safe base64 without padding. Of a
spec that `core.catalogues.filled` has written out, with the catalogues' defaults and the versions it was
completed by, that is 280 to 580 characters for a preset, and 4,500 for 64 operations with every value set.
What comes back is anybody's text:
it is bounded before and after inflating and then read as every spec is.
"""

from __future__ import annotations

import base64
import binascii
import zlib

from core.run.errors import SpecError
from core.run.spec import MAX_SPEC_BYTES, RunSpec, is_upload, parse

MAX_CHARACTERS = 8_000  # browsers and proxies carry addresses of about this length


def encode(spec: RunSpec) -> str:
    """The spec as at most `MAX_CHARACTERS` letters, digits, '-' and '_'."""
    text = spec.model_dump_json(exclude_defaults=True)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(text.encode()) + packer.flush()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode(text: str) -> RunSpec:
    """The spec that `encode` made ``text`` of.

    Raises:
        SpecError: it is cut off, changed or too long; or it names a file of this machine, which a
            link may not (a link may name an uploaded zip).
    """
    broken = SpecError("", "This link's choices can't be read; it may be cut off. Ask for it again.")
    if len(text) > MAX_CHARACTERS:
        raise broken
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacker.decompress(packed, MAX_SPEC_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise broken from None
    if not unpacker.eof:
        raise broken
    spec = parse(content)
    if spec.data.path is not None and not is_upload(spec.data.path):
        raise SpecError("data.path", "a link can't open a file of the server; upload a zip instead.")
    return spec
