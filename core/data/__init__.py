"""Where images come from, as tensors: bundled sets, a person's own, splits, photographs for previews."""

from core.data.annotated import Annotated, annotated
from core.data.catalogue import CATALOGUE, DataEntry, check, load
from core.data.dataset import Dataset
from core.data.images import upload_images
from core.data.photos import Photo, photos
from core.data.shape import Shape, shape
from core.data.split import Split, split
from core.data.uploads import is_upload, keep

__all__ = [
    "CATALOGUE",
    "Annotated",
    "DataEntry",
    "Dataset",
    "Photo",
    "Shape",
    "Split",
    "annotated",
    "check",
    "is_upload",
    "keep",
    "load",
    "photos",
    "shape",
    "split",
    "upload_images",
]
