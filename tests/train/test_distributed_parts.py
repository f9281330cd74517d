"""A part of a batch, looked at as the whole: shares, dropout's masks, batch norm's statistics."""

import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from core.randomness import private_draws
from core.train.distributed.share import Share
from core.train.distributed.whole_batch import WholeBatch


class Threads:
    """An exchange among threads that stand for processes."""

    def __init__(self, processes):
        self.processes, self.told = processes, {}
        self.barrier = threading.Barrier(processes, timeout=30)

    def of(self, rank):
        return _Of(self, rank)


class _Of:
    def __init__(self, threads, rank):
        self.threads, self.rank = threads, rank

    def gather(self, values):
        self.threads.told[self.rank] = values
        self.threads.barrier.wait()
        found = torch.stack([self.threads.told[rank] for rank in range(self.threads.processes)])
        self.threads.barrier.wait()
        return found

    def add(self, values):
        return self.gather(values).sum(0)


@given(st.integers(1, 200), st.integers(1, 8))
def test_each_image_is_one_process_s(size, processes):
    shares = [Share(rank, processes) for rank in range(processes)]
    assert sum(share.count(size) for share in shares) == size
    own = [share.rows(size)[: share.count(size)].tolist() for share in shares]
    assert [place for places in own for place in places] == list(range(size))
    assert max(map(len, own)) - min(map(len, own)) <= 1
    assert all(len(share.rows(size)) >= min(2, size) for share in shares)
    assert all(len(set(share.rows(size).tolist())) == len(share.rows(size)) for share in shares)
    assert sum(share.weight(size) for share in shares) / processes == pytest.approx(1)


LAYOUTS = {
    "dense": lambda x: x.flatten(1),
    "images": lambda x: x,
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "rows first, as of an LSTM": lambda x: x.flatten(2).transpose(0, 1).contiguous().transpose(0, 1),
    "not dense": lambda x: torch.cat([x, x], 3)[..., ::2],
}


@pytest.mark.parametrize("size", [7, 3, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dropout", [F.dropout, F.dropout2d])
def test_a_part_has_the_masks_of_the_whole(layout, dropout, size):
    if dropout is F.dropout2d and layout in ("dense", "rows first, as of an LSTM"):
        return  # it drops channels of images
    whole = LAYOUTS[layout](torch.rand(size, 6, 4, 4) + 1)
    with private_draws(3):
        expected = dropout(whole, 0.4)
    assert 0 < (expected == 0).float().mean() < 1
    for share in (Share(rank, 3) for rank in range(3)):
        rows = share.rows(size)
        part = LAYOUTS[layout](torch.rand(len(rows), 6, 4, 4))
        part.copy_(whole[rows])
        with private_draws(3), WholeBatch(share, size, None):
            found = dropout(part, 0.4)
        assert torch.equal(found, expected[rows])


def test_outside_of_training_nothing_is_dropped_and_nothing_exchanged():
    part = torch.rand(4, 3, 5, 5)
    norm = nn.BatchNorm2d(3).eval()
    with WholeBatch(Share(0, 2), 8, None):
        assert F.dropout(part, 0.5, training=False) is part
        assert torch.equal(norm(part), part / (1 + 1e-5) ** 0.5) or torch.allclose(norm(part), part, 1e-4)


@pytest.mark.parametrize(("size", "processes"), [(12, 2), (7, 3), (2, 3)])
@pytest.mark.parametrize("affine", [True, False])
def test_batch_norm_is_that_of_the_whole_batch(size, processes, affine):
    """Also of its gradients, where the images' mean is large, and if one has no image or one."""
    torch.manual_seed(0)
    whole = (torch.randn(size, 5, 3, 3) + 1000).requires_grad_()
    wanted = torch.randn(size, 5, 3, 3)  # the loss is the mean of wanted · (output of two layers)
    norms = [nn.Sequential(nn.BatchNorm2d(5, affine=affine), nn.ReLU(), nn.BatchNorm2d(5, affine=affine))]
    norms += [nn.Sequential(*map(_copy, norms[0])) for _ in range(processes)]
    norms[0](whole).mul(wanted).sum().backward()
    threads, parts = Threads(processes), {}

    def compute(rank):
        share = Share(rank, processes)
        rows = share.rows(size)
        part = whole.detach()[rows].requires_grad_()
        with WholeBatch(share, size, threads.of(rank)):
            out = norms[1 + rank](part)
        count = share.count(size)
        out[:count].mul(wanted[rows[:count]]).sum().backward()
        parts[rank] = (rows, count, out.detach(), part.grad)

    started = [threading.Thread(target=compute, args=(rank,)) for rank in range(processes)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    for rows, count, _, gradient in parts.values():
        assert torch.allclose(gradient[:count], whole.grad[rows[:count]], rtol=1e-3, atol=2e-4)
        assert not gradient[count:].any()
    for i in (0, 2):
        for norm in norms[1:]:
            assert torch.allclose(norm[i].running_mean, norms[0][i].running_mean, rtol=1e-5, atol=1e-5)
            assert torch.allclose(norm[i].running_var, norms[0][i].running_var, rtol=1e-3, atol=1e-4)
        if affine:
            for name in ("weight", "bias"):
                total = sum(getattr(norm[i], name).grad for norm in norms[1:])
                assert torch.allclose(total, getattr(norms[0][i], name).grad, rtol=1e-3, atol=1e-3)


def _copy(module):
    if not isinstance(module, nn.BatchNorm2d):
        return nn.ReLU()
    return nn.BatchNorm2d(5, affine=module.affine)
