"""The images a preview shows are those a run trains on: to the bit, of the same step, seed and batch."""

import torch

from core.catalogues import completed
from core.preview.results import preview
from core.run.spec import parse
from core.train.session import epoch_order, open_session


def test_a_preview_of_a_batch_is_what_the_step_trains_on():
    ops = [{"op": "RandomAffine", "p": 1.0}, {"op": "RandomErasing"}, {"op": "RandomGaussianNoise"}]
    spec = completed(
        parse(
            {
                "seed": 11,
                "augment": {"ops": ops, "mix": {"op": "RandomMixUpV2", "p": 1.0}},
                "data": {"train_images": 200},
            }
        )
    )
    session = open_session(spec)
    for step in (0, 3):
        index = epoch_order(spec, 200, 1)[:64]
        trained, _ = session.batch(index, step)
        shown = preview(spec.augment, session.train.images[index], seed=spec.seed, step=step, device="cpu")
        assert torch.equal(shown.results, (trained * 255).round().to(torch.uint8))
