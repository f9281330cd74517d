"""Which images a question is about: the bundled photographs, a dataset, or a person's own pictures."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from core.data.catalogue import kept_dataset, load_dataset
from core.data.own import Form, form_of
from core.data.photos import photos
from core.interactive.errors import MissingDatasetError, MissingPicturesError
from core.run.spec import MAX_SIDE, DataSpec, Part

SHOWN = 16
WHICH = ("name", "path", *Form._fields)  # what decides a dataset's images
MOST_OWN_BYTES = 64 * 2**20  # of decoded pictures that are remembered

Side = Annotated[int, Field(ge=8, le=MAX_SIDE)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Source(Part):
    """One of three: the photographs at a side in pixels, a dataset's first images, or pictures that were
    sent before, by their digests."""

    photos: Side | None = None
    data: DataSpec | None = None
    own: Annotated[tuple[Digest, ...], Field(min_length=1, max_length=SHOWN, strict=False)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Source:
        if sum(each is not None for each in (self.photos, self.data, self.own)) != 1:
            raise ValueError("a source is one of photos, data and own")
        return self


@dataclass(frozen=True)
class Images:
    """`SHOWN` images, uint8 (N, C, S, S), and for each a name and a sentence for those who can't see it.

    A few are repeated, because each repeat is drawn anew: only the first ``originals`` differ.
    """

    tensor: Tensor
    names: tuple[str, ...]
    alts: tuple[str, ...]
    originals: int


def images_of(source: Source) -> Images:
    """
    Raises:
        SpecError: the dataset can't be read.
        MissingPicturesError: own pictures are to be sent first.
        MissingDatasetError: as `dataset_of`.
    """
    if source.own is not None:
        pictures = OWN.pictures(source.own)
        count = len(pictures)
        return _repeated(
            torch.stack(pictures),
            [f"yours {i + 1}" for i in range(count)],
            [f"Your image number {i + 1}." for i in range(count)],
        )
    if source.data is not None:
        dataset = dataset_of(source.data)
        labels = np.asarray(dataset.labels)
        places = np.arange(min(SHOWN, len(labels)))
        if source.data.path is not None:  # a person's own stand in the order of their folders
            places = in_turn(labels, SHOWN)
        classes = [dataset.classes[int(label)] for label in labels[places]]
        return _repeated(
            torch.tensor(np.asarray(dataset.images)[places]),
            classes,
            [f"An image of class {name}." for name in classes],
        )
    assert source.photos is not None
    pictures_of, about = photos(source.photos)
    return _repeated(
        torch.tensor(np.asarray(pictures_of)), [photo.name for photo in about], [photo.alt for photo in about]
    )


def in_turn(labels: NDArray[np.integer[Any]], count: int) -> NDArray[np.intp]:
    """The places of up to ``count`` images, of all classes in turn."""
    order = np.argsort(labels, kind="stable")
    _, first = np.unique(labels[order], return_index=True)
    rank = np.arange(len(labels)) - np.repeat(first, np.diff([*first, len(labels)]))  # within its class
    return order[np.lexsort((labels[order], rank))][:count]


def dataset_of(spec: DataSpec) -> Any:
    """The images of ``spec``.

    Raises:
        SpecError: there is no such set.
        MissingDatasetError: a person's own images are to be decoded first, elsewhere.
    """
    if spec.path is not None:  # a page says the form, a link may not: the same images
        spec = spec.model_copy(update=form_of(spec)._asdict())
    return _loaded(spec.model_dump_json(include=set(WHICH)))


@lru_cache(maxsize=2)
def _loaded(spec_json: str) -> Any:
    spec = DataSpec.model_validate_json(spec_json)
    dataset = load_dataset(spec) if spec.path is None else kept_dataset(spec)
    if dataset is None:
        raise MissingDatasetError(spec.model_dump(mode="json", include=set(WHICH)))
    return dataset


def _repeated(tensor: Tensor, names: list[str], alts: list[str]) -> Images:
    places = torch.arange(SHOWN) % len(tensor)
    order = places.tolist()
    return Images(
        tensor[places], tuple(names[i] for i in order), tuple(alts[i] for i in order), min(len(tensor), SHOWN)
    )


class OwnPictures:
    """Decoded pictures by the digest of their bytes, those used longest ago forgotten. Never on disk."""

    def __init__(self, most_bytes: int = MOST_OWN_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._pictures: OrderedDict[str, Tensor] = OrderedDict()

    def remember(self, content: bytes, picture: Tensor) -> str:
        digest = hashlib.sha256(content).hexdigest()
        with self._lock:
            self._pictures[digest] = picture
            while sum(each.nbytes for each in self._pictures.values()) > self._most_bytes:
                self._pictures.popitem(last=False)
        return digest

    def pictures(self, digests: tuple[str, ...]) -> list[Tensor]:
        """
        Raises:
            MissingPicturesError: some are not here.
        """
        with self._lock:
            if missing := [digest for digest in digests if digest not in self._pictures]:
                raise MissingPicturesError(missing)
            for digest in digests:
                self._pictures.move_to_end(digest)
            return [self._pictures[digest] for digest in digests]


OWN = OwnPictures()
