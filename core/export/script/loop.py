"""The text of a script's own code: what the run needs, and nothing else, for a reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.export.script.start import Start


class Needs(NamedTuple):
    """What of the loop a run needs."""

    regularises: bool
    averages: bool  # or judges the network with other weights than it trains
    norms: bool  # batch norm beside averages
    begins: bool  # something acts before the forward pass
    twice: bool  # goes through the network twice a step
    smooths: bool
    may_stop: bool
    mixes: bool
    edits: bool
    resizes: bool  # an edit of the batch size
    changes_dropout: bool
    changes_params: bool  # of regularisers, beside λ
    scheduled: bool
    releases: bool  # a regulariser, which changes the learning rate
    order_seed: str = "SEED"  # the names of the script's seeds
    dropout_seed: str = "SEED"
    start: Start | None = None  # of a branch


def batch_text(lines: Sequence[str], mixes: bool) -> str:
    """The function that makes a batch."""
    kind = "the share of each class (B, classes)" if mixes else "labels (B,)"
    body = "\n".join(f"    {line}" for line in lines)
    body = f"{body}\n" if body else ""
    how = "augmented" if lines else "as they are"
    return f'''@torch.no_grad()
def batch(index: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Training images ``index``, {how}: float (B, C, S, S) in [0, 1], and {kind}."""
    images, labels = train_images[index].float().div_(255), train_labels[index]
{body}    return images, labels'''


def change_text(needs: Needs) -> str:
    """The function that makes the edits of a step."""
    lines = ["globals().update(EDITS.get(step, {}))"]
    if needs.changes_dropout:
        lines += ["for name, share in DROPOUTS.items():", "    model.get_submodule(name).p = share"]
    if needs.changes_params:
        lines += ["for kind, each in REGULARISERS.items():", "    each.params = PARAMS[kind]"]
    body = "\n".join(f"    {line}" for line in lines)
    return f'''def change(step: int) -> None:
    """Make the edits of this step, before it is trained."""
{body}'''


def train_text(needs: Needs) -> str:
    """The loop."""
    return "\n".join(line for line in _train(needs) if line is not None)


def _train(needs: Needs) -> list[str | None]:
    done = "first_epoch * steps + step - first_step" if needs.resizes else "step"
    epochs_done = f"({done}) / steps" if needs.resizes else "step / steps"
    share = f"({done}) / (EPOCHS * steps)" if needs.resizes else "step / (EPOCHS * steps)"
    size = "size" if needs.resizes else "BATCH_SIZE"
    smoothing = ", label_smoothing=label_smoothing(epochs_done)" if needs.smooths else ""
    heaviest = "truth = targets.argmax(1) if targets.ndim == 2 else targets  # the heaviest label counts"
    rate = "LEARNING_RATE * schedule(share)" if needs.scheduled else "LEARNING_RATE"
    rate += " * released" if needs.releases else ""

    def if_(condition: bool, line: str) -> str | None:
        return line if condition else None

    begun = needs.start is not None and needs.start.batches > 0
    left = "indices[done:]" if begun else "indices"
    images = needs.start.images if needs.start else 0
    given = f'given["sums.loss"].clone(), int(given["sums.correct"]), {images}'
    judged = "judge(validation_images, validation_labels)"
    judge: list[str | None] = [f"        validation_loss, validation_accuracy = {judged}"]
    if needs.norms:
        judge = ["        with judged_weights(indices, step - steps):", f"    {judge[0]}"]
    elif needs.averages:
        judge = ["        with averaged():", f"    {judge[0]}"]
    indent = "    " if needs.averages else ""
    stop: list[str | None] = []
    if needs.may_stop:
        stop = [f"{indent}        stops = [each.after_epoch(told) for each in REGULARISERS.values()]"]
    told: list[str | None] = [
        f"{indent}        told = {{",
        f'{indent}            "epoch": epoch,',
        f'{indent}            "train_loss": float(total) / seen,',
        f'{indent}            "train_accuracy": correct / seen,',
        f'{indent}            "validation_loss": validation_loss,',
        f'{indent}            "validation_accuracy": validation_accuracy,',
        f"{indent}        }}",
    ]
    return [
        "def train() -> Iterator[dict[str, float]]:",
        '    """Train the whole run; yields the figures of each epoch."""',
        *_begin(needs),
        "    while epoch < EPOCHS:",
        if_(needs.edits, "        change(step)"),
        if_(needs.resizes, f"        if {'not done and ' if begun else ''}size != BATCH_SIZE:"),
        if_(needs.resizes, "            size, first_epoch, first_step = BATCH_SIZE, epoch, step"),
        "        epoch += 1",
        f"        steps = steps_per_epoch({size})",
        f'        draws = generator(derive({needs.order_seed}, "order", epoch))',
        "        order = torch.randperm(len(train_labels), generator=draws)",
        f"        indices = list(order.to(DEVICE).split({size}))[:steps]",
        "        total, correct, seen = torch.zeros((), dtype=torch.float64, device=DEVICE), 0, 0",
        if_(begun, "        if done:"),
        if_(begun, f"            total, correct, seen = {given}"),
        "        model.train()",
        if_(needs.edits, f"        for i, index in enumerate({left}{', done' if begun else ''}):"),
        if_(not needs.edits, f"        for index in {left}:"),
        if_(needs.edits, "            if i:"),
        if_(needs.edits, "                change(step)"),
        if_(needs.scheduled, f"            share = {share}  # of the run that is done"),
        if_(needs.regularises, f"            epochs_done = {epochs_done}"),
        if_(needs.releases, "            released = release(epochs_done)"),
        "            for group in optimiser.param_groups:",
        f'                group["lr"] = {rate}',
        if_(needs.begins, "            for _, each, _ in at_work(epochs_done):"),
        if_(needs.begins, f"                each.begin_step({needs.dropout_seed}, step)"),
        "            images, targets = batch(index, step)",
        *(_twice(needs.dropout_seed, smoothing) if needs.twice else _once(needs, smoothing)),
        if_(needs.regularises, "            optimise(epochs_done)"),
        if_(not needs.regularises, "            optimiser.step()"),
        "            if not math.isfinite(loss.item()):",
        '                raise SystemExit(f"The loss became {loss.item()} at step {step + 1}.")',
        if_(needs.mixes, f"            {heaviest}"),
        "            total += loss.detach().double() * len(index)",
        f"            correct += int((logits.argmax(1) == {'truth' if needs.mixes else 'targets'}).sum())",
        "            seen += len(index)",
        "            step += 1",
        if_(begun, "        done = 0"),
        if_(needs.averages, "        for each in REGULARISERS.values():"),
        if_(needs.averages, "            each.epoch_trained(epoch / EPOCHS)"),
        *judge,
        *told,
        *stop,
        "        yield told",
        if_(needs.may_stop, "        if any(stops):"),
        if_(needs.may_stop, "            return"),
    ]


def _once(needs: Needs, smoothing: str) -> list[str | None]:
    """Through the network, forward and backward."""
    penalised = "(loss + penalty(epochs_done))" if needs.regularises else "loss"
    return [
        f'            with private_draws(derive({needs.dropout_seed}, "dropout", step), DEVICE):',
        "                logits = model(normalised(images))",
        f"                loss = F.cross_entropy(logits, targets{smoothing})",
        "            optimiser.zero_grad(set_to_none=True)",
        f"            {penalised}.backward()",
    ]


def _twice(seed: str, smoothing: str) -> list[str | None]:
    """The same for regularisers that look at the loss elsewhere, too."""
    return [
        "",
        "            def forward() -> tuple[Tensor, Tensor]:",
        f'                with private_draws(derive({seed}, "dropout", step), DEVICE):',
        "                    logits = model(normalised(images))",
        f"                    return logits, F.cross_entropy(logits, targets{smoothing})",
        "",
        "            logits, loss = forward()",
        "            backward(loss, lambda: forward()[1], epochs_done)",
    ]


def _begin(needs: Needs) -> list[str | None]:
    """Where the run begins: at 0, or a branch where the other run was."""
    if (start := needs.start) is None:
        sizes = ["    size = first_epoch = first_step = 0"] if needs.resizes else []
        return [*sizes, "    epoch = step = 0"]
    clock = start.clock
    return [
        f"    size, first_epoch, first_step = {clock.batch_size}, {clock.epoch}, {clock.step}",
        f"    epoch, step = {start.epochs}, {start.step}  # that the run before it has done",
        f"    done = {start.batches}  # batches of the next epoch" if start.batches else None,
    ]


STEPS_TEXT = '''def steps_per_epoch(size: int) -> int:
    """A last batch of one image is left out: batch norm has no variance to take there."""
    full, rest = divmod(len(train_labels), size)
    return full + (rest > 1) or 1'''
