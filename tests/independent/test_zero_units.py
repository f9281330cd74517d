"""What a unit of zero weights puts out, by torch's modules alone; and that the helps say so."""

import pytest
import torch
from torch import nn

from core.layers.groups import weight_groups
from core.measure.catalogue import MEASURES
from core.regularise.check import completed_regularisers
from core.regularise.regularisation import Regularisation
from core.run.spec import RegulariserSpec


@pytest.mark.parametrize(("kind", "steady"), [(nn.LSTM, False), (nn.GRU, False), (nn.RNN, True)])
def test_a_recurrent_unit_of_zero_weights_is_a_function_of_time(kind, steady):
    torch.manual_seed(0)
    network = kind(28, 8, batch_first=True)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith("weight"):
                parameter.view(-1, 8, parameter.shape[1])[:, 3] = 0  # the unit's row in every gate
        out, _ = network(torch.rand(16, 28, 28))
    unit = out[..., 3]
    assert torch.equal(unit, unit[:1].expand_as(unit))  # alike for all images
    assert (unit[0].std() < 1e-6) == steady
    assert "still changes from row to row, alike for all images" in _in_a_line(MEASURES["neurons"].help)
    assert [int(groups.zero().sum()) for groups in weight_groups(network)] == [1]


@pytest.mark.parametrize("normed", [False, True])
def test_a_filter_of_zeros_puts_out_its_bias_or_its_norms_shift(normed):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4) if normed else nn.Identity())
    after = nn.Conv2d(4, 2, 3, padding=1)
    with torch.no_grad():
        layers[0].weight[2], layers[0].bias[2] = 0, 0
        if normed:
            layers[1].bias[2] = 0.7
        out = layers.eval()(torch.rand(16, 1, 12, 12)).relu()
        seen = after(out)
        without = nn.functional.conv2d(out[:, [0, 1, 3]], after.weight[:, [0, 1, 3]], after.bias, padding=1)
    assert torch.equal(out[:, 2], torch.full_like(out[:, 2], 0.7 if normed else 0.0))
    share = seen - without  # what the next layer makes of the filter
    inner, border = share[..., 1:-1, 1:-1], share[..., 0, 0]
    assert torch.allclose(inner, inner[:, :, :1, :1].expand_as(inner), atol=1e-5)
    # A constant that no bias can hold: it is another at the border, where the next filters see zeros.
    assert bool((border - inner[..., 0, 0]).abs().max() > 0.01) == normed
    assert "all but one a layer where they still put out a constant" in _in_a_line(MEASURES["filters"].help)


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def test_a_neuron_that_the_group_lasso_zeroes_is_silent_and_learns_no_more():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    x, y = torch.randn(64, 6), torch.randint(0, 3, (64,))
    spec = RegulariserSpec(kind="group_lasso", strength=0.05, solver="proximal")
    regularisation = Regularisation(completed_regularisers([spec]), model)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for step in range(200):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        regularisation.step(optimiser, float(step))
    dead = (model[0].weight == 0).all(1)
    assert dead.any()
    assert (model[0].bias[dead] == 0).all(), "else it would put out a constant"
    assert (model[1](model[0](x))[:, dead] == 0).all()
    assert (model[0].weight.grad[dead] == 0).all() and (model[0].bias.grad[dead] == 0).all()
