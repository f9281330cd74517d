"""Every augmentation there is, by Kornia's name for it."""

from __future__ import annotations

from core.augment.entry import OpEntry
from core.augment.geometric import GEOMETRIC
from core.augment.intensity import INTENSITY
from core.augment.policies import POLICIES
from core.augment.scenes import SCENES
from core.augment.sizes import SIZES
from core.augment.tones import TONES
from core.augment.warps import WARPS

CATALOGUE: dict[str, OpEntry] = {
    entry.name: entry for entry in GEOMETRIC + WARPS + SIZES + INTENSITY + TONES + SCENES + POLICIES
}
