"""What `kornia.augmentation` has and the catalogue has not, with the reason, as the page shows it."""

from __future__ import annotations

_REASONS = {
    "Images are square here, so it does just what Resize (low resolution) does.": (
        "LongestMaxSize",
        "SmallestMaxSize",
    ),
    "Training normalises by itself, after all operations; its values leave 0 to 1 and can't be shown.": (
        "Normalize",
        "Denormalize",
    ),
    "It needs a diffusion model of several gigabytes, fetched from the network.": ("RandomDissolving",),
    "It is for volumes, such as CT scans; images are flat here.": (
        "CenterCrop3D",
        "RandomAffine3D",
        "RandomCrop3D",
        "RandomDepthicalFlip3D",
        "RandomEqualize3D",
        "RandomHorizontalFlip3D",
        "RandomMotionBlur3D",
        "RandomPerspective3D",
        "RandomRotation3D",
        "RandomTransplantation3D",
        "RandomVerticalFlip3D",
    ),
    "It is for videos; images stand alone here.": ("VideoSequential",),
    "It is no operation but what operations are derived from.": (
        "AugmentationBase2D",
        "AugmentationBase3D",
        "GeometricAugmentationBase2D",
        "GeometricAugmentationBase3D",
        "IntensityAugmentationBase2D",
        "IntensityAugmentationBase3D",
        "MixAugmentationBaseV2",
        "PolicyAugmentBase",
        "RigidAffineAugmentationBase2D",
        "RigidAffineAugmentationBase3D",
    ),
    "It is no operation but holds several; here the pipeline does that.": (
        "AugmentationSequential",
        "ImageSequential",
        "ManyToManyAugmentationDispather",
        "ManyToOneAugmentationDispather",
        "PatchSequential",
        "PolicySequential",
    ),
}

EXCLUSIONS: dict[str, str] = {name: reason for reason, names in _REASONS.items() for name in names}
"""By Kornia's name of the class: why it is left out, in a sentence for people."""
