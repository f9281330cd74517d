"""What a run leaves on disk: its whole spec and its weights, in formats that can't carry code."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file

from core.engine.session import Session


def save(folder: Path, session: Session) -> None:
    """Write ``spec.json`` and ``weights.safetensors`` into ``folder``, which is made if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(session.spec.to_json(indent=2) + "\n", encoding="utf-8")
    weights = {name: value.detach().cpu().contiguous() for name, value in session.model.state_dict().items()}
    save_file(weights, folder / "weights.safetensors")
