"""Where a branch leaves the run that it comes from."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from core.branching import check_branch, check_epochs_left
from core.catalogues import completed
from core.jobs.views import RunView
from core.run.checkpoints import START, UNREADABLE, Found, edits_of, found, head, spec_of
from core.run.digest import digest
from core.run.errors import SpecError
from core.run.made import copy_sources
from core.run.spec import RunSpec, parse
from core.store.folders import here
from core.store.store import run_folder


class Fork(NamedTuple):
    """A checkpoint to begin at.

    Args:
        spec: of the run there, its edits made.
        inputs, parents: those of a job that begins there.
    """

    at: Found
    spec: RunSpec
    inputs: dict[str, Any]
    parents: tuple[str, ...]

    def check(self, spec: RunSpec) -> None:
        """Whether a run of ``spec``, completed, can begin here.

        Raises:
            SpecError: it can't, and why.
        """
        check_branch(spec, self.spec)
        check_epochs_left(spec, self.at.epochs)

    def give(self, run_id: str) -> None:
        """Put the checkpoint into a run's own folder: the other run may be deleted, or write another one.

        Raises:
            OSError: it can't be.
            SpecError: another one was written in its place meanwhile.
        """
        folder = run_folder(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self.at.path, folder / START)
        except OSError:  # another file system
            shutil.copyfile(self.at.path, folder / START)
        copy_sources(here(self.inputs["parent"]), folder)  # of a student its teachers
        if _step_of(folder / START) != self.at.step:
            raise _not_kept(self.at.step)


def forks(run_id: str) -> list[Found]:
    """Where one can branch from a run, in the order of steps: what its folder holds."""
    return found(here(run_id))


def fork_of(view: RunView, step: int) -> Fork:
    """The fork of a run after ``step`` steps.

    Raises:
        SpecError: there is no checkpoint of it.
    """
    at = next((each for each in forks(view.id) if each.step == step), None)
    with suppress(*UNREADABLE):
        if at is not None:
            return _fork(view, at)
    raise _not_kept(step)


def _not_kept(step: int) -> SpecError:
    return SpecError("", f"No checkpoint of step {step:,} is kept of this run; choose another.")


def _step_of(path: Path) -> int | None:
    with suppress(*UNREADABLE):
        return int(json.loads(head(path)["at"])["step"])
    return None


def _fork(view: RunView, at: Found) -> Fork:
    metadata = head(at.path)
    if json.loads(metadata["at"])["step"] != at.step:
        raise ValueError("another one was written in its place")
    was = digest(view.kind, parse(metadata["spec"]), view.inputs, edits_of(metadata), view.parents)
    inputs = {"parent": view.id, "step": at.step}
    return Fork(at, completed(spec_of(metadata)), inputs, (was,))


def drop(run_id: str) -> None:
    """Remove what `Fork.give` gave to a run that came to nothing."""
    shutil.rmtree(Path(run_folder(run_id)), ignore_errors=True)
