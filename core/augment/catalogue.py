"""Every augmentation there is, by Kornia's name for it."""

from __future__ import annotations

from core.augment.entry import OpEntry
from core.augment.ops.geometry import GEOMETRIC
from core.augment.ops.intensity import INTENSITY
from core.augment.ops.policies import POLICIES
from core.augment.ops.scenes import SCENES
from core.augment.ops.sizes import SIZES
from core.augment.ops.tones import TONES
from core.augment.ops.warps import WARPS

OPERATIONS: dict[str, OpEntry] = {
    entry.name: entry for entry in GEOMETRIC + WARPS + SIZES + INTENSITY + TONES + SCENES + POLICIES
}
