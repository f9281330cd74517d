"""What a person's images are like, by their headers: what follows for how they are read, and what to say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from PIL import ExifTags, Image

from core.data.images import LARGE_PIXELS, UnreadableImageError, is_deep, white_of
from core.data.own import DEFAULT_SIDE, Form

SIDES = (8, 16, 28, 32, 48, 64)  # pixels; what is proposed for images of other sizes
LARGE_SET = 4_000  # images; more are proposed at `DEFAULT_SIDE` at most, for an epoch to take seconds
COLOUR_SAMPLE = 64  # images of three channels that are looked at: are they grey all the same?
CUT_SAID = 0.6  # a crop that keeps a smaller share of the median image is said


@dataclass(slots=True)
class Survey:
    """What was seen of images so far, one after the other by `look`.

    Args:
        sizes: width and height in pixels, of each.
        white: see `core.data.images.white_of`; the largest of all deep images.
    """

    sizes: list[tuple[int, int]] = field(default_factory=list)
    formats: Counter[str] = field(default_factory=Counter)
    white: int = 0
    deep: int = 0
    turned: int = 0
    printed: int = 0
    transparent: int = 0
    _colour: bool = False
    _sampled: int = 0

    def look(self, image: Image.Image) -> None:
        """Take in an opened image; only what its header does not say is decoded.

        Raises:
            UnreadableImageError: it must be decoded, and can't be.
        """
        try:
            self._look(image)
        except Exception:  # a decoder on hostile bytes
            raise UnreadableImageError("is cut short or broken") from None

    def _look(self, image: Image.Image) -> None:
        self.sizes.append(image.size)
        self.formats[image.format or ""] += 1
        self.turned += image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        self.printed += image.mode == "CMYK"
        self.transparent += image.has_transparency_data
        if is_deep(image):
            self.deep += 1
            self.white = max(self.white, white_of(image))
        elif not self._colour and image.mode not in ("1", "L", "LA") and self._sampled < COLOUR_SAMPLE:
            self._sampled += 1
            self._colour = _has_colour(image)

    def proposed(self) -> Form:
        """The form that suits what was seen: small squares of one size stay as they are, grey stays grey."""
        return Form(self._side(), 3 if self._colour else 1)

    def notes(self, form: Form) -> tuple[str, ...]:
        """What to know of these images where they are read in ``form``, a sentence each."""
        said = [self._size_note(form), self._cut_note(form), self._deep_note()]
        said += [
            f"{count:,} {'image was' if count == 1 else 'images were'} {what}."
            for count, what in (
                (self.turned, "turned upright, as the camera says"),
                (self.printed, "converted from CMYK, the colours of print"),
                (self.transparent, "laid on white where transparent"),
            )
            if count
        ]
        said += [
            f"{count:,} {name} {'file' if count == 1 else 'files'}: the first picture of each."
            for name in ("GIF", "TIFF")
            if (count := self.formats[name])
        ]
        return tuple(filter(None, said))

    def _side(self) -> int:
        shorts = sorted(min(size) for size in self.sizes)
        if not shorts:
            return DEFAULT_SIDE
        median = shorts[len(shorts) // 2]
        if len(set(self.sizes)) == 1 and self.sizes[0][0] == self.sizes[0][1] and 8 <= median <= SIDES[-1]:
            return median
        most = DEFAULT_SIDE if len(shorts) > LARGE_SET else SIDES[-1]
        return max((side for side in SIDES if side <= min(median, most)), default=SIDES[0])

    def _size_note(self, form: Form) -> str:
        """Nothing of images that stay as they are."""
        if set(self.sizes) <= {(form.side, form.side)}:
            return ""
        parts = []
        for name, lengths in zip(("wide", "high"), zip(*self.sizes, strict=True), strict=True):
            low, high = min(lengths), max(lengths)
            parts.append(f"{low:,} px {name}" if low == high else f"{low:,} to {high:,} px {name}")
        return f"The images are {' and '.join(parts)}."

    def _cut_note(self, form: Form) -> str:
        kept = sorted(min(size) / max(size) for size in self.sizes)
        if not kept or form.fit == "stretch" or kept[len(kept) // 2] >= CUT_SAID:
            return ""
        share = 100 * kept[len(kept) // 2]
        shown = f"{share:.0f} %" if share >= 1 else "under 1 %"
        if form.fit == "pad":
            return f"They are far from square: the median image fills {shown} of its padded square."
        return f"They are far from square: the crop keeps {shown} of the median image. Padding keeps all."

    def _deep_note(self) -> str:
        if not self.deep:
            return ""
        has = f"{self.deep:,} {'image has' if self.deep == 1 else 'images have'} 16 bits a value"
        bits = self.white.bit_length()
        used = f", of which {bits} are used: 0 to {self.white:,}" if 8 < bits < 16 else ""
        return f"{has}{used}; 0 became black, {self.white:,} white."


def _has_colour(image: Image.Image) -> bool:
    """Whether any pixel is not grey, seen from afar; a large image that could have colour counts as such."""
    if image.width * image.height > LARGE_PIXELS:
        return True
    image.draft("RGB", (64, 64))
    small = image.convert("RGB")
    small.thumbnail((64, 64))
    pixels = np.asarray(small).astype(int)
    return bool((np.ptp(pixels, axis=2) > 2).any())
