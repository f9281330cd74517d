"""Every augmentation there is, by Kornia's name for it."""

from __future__ import annotations

from core.augment.entry import OpEntry
from core.augment.ops.bends import BENDS
from core.augment.ops.blur import BLUR
from core.augment.ops.brightness import BRIGHTNESS
from core.augment.ops.colour import COLOUR
from core.augment.ops.crops import CROPS
from core.augment.ops.geometry import GEOMETRY
from core.augment.ops.light import LIGHT
from core.augment.ops.noise import NOISE
from core.augment.ops.policies import POLICIES
from core.augment.ops.weather import WEATHER

_GEOMETRIC = GEOMETRY + BENDS + CROPS
_INTENSITY = BRIGHTNESS + COLOUR + NOISE + BLUR + LIGHT + WEATHER

OPERATIONS: dict[str, OpEntry] = {entry.name: entry for entry in _GEOMETRIC + _INTENSITY + POLICIES}
