"""A recurrent network that reads an image row by row, from top to bottom.

Cells: plain tanh (Elman 1990), LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al., 1406.1078).
Weights start as in Keras: Glorot uniform from the input, orthogonal from state to state so that
gradients neither vanish nor explode at first (Saxe et al., 1312.6120), and an LSTM's forget gates at
a bias of 1, so that it remembers until it has learnt to forget (Jozefowicz et al. 2015, section 2.2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

CELLS: dict[str, type[nn.LSTM | nn.GRU | nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RNN(nn.Module):
    """The rows of an image as a sequence; the classifier sees the state after the last of them.

    Input (B, in_channels, side, side), normalised; output logits (B, num_classes).

    Args:
        cell: ``lstm``, ``gru`` or ``rnn`` (tanh).
        hidden: numbers in the state, in each direction.
        layers: recurrent layers, each reading the states of the one below.
        bidirectional: read from bottom to top as well.
        dropout: share of a layer's outputs that is dropped on the way to the next layer or to the
            classifier, never from step to step (Zaremba et al., 1409.2329).
    """

    classifier, filters = "fc", ""  # its first layer reads rows of pixels, which are no images

    def __init__(
        self,
        in_channels: int,
        side: int,
        num_classes: int,
        *,
        cell: str,
        hidden: int,
        layers: int,
        bidirectional: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        directions = 2 if bidirectional else 1
        widths = [in_channels * side, *[directions * hidden] * layers]
        # One module a layer instead of `num_layers`: each has its own name in the charts, and dropout
        # draws from torch's generator, while cuDNN's own, between its layers, can't be replayed.
        self.layers = [
            CELLS[cell](width, hidden, batch_first=True, bidirectional=bidirectional) for width in widths[:-1]
        ]
        for number, layer in enumerate(self.layers, 1):
            self.add_module(f"rnn{number}", layer)
            initialise_layer(layer)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(widths[-1], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        first, *others = self.layers
        rows = images.transpose(1, 2).flatten(2)  # (B, C, S, S) → (B, S rows, C·S)
        states, last = first(rows)  # (B, S, directions·hidden), (directions, B, hidden)
        for layer in others:
            states, last = layer(self.dropout(states))
        if isinstance(last, tuple):  # an LSTM's state and its cell
            last = last[0]
        # Each direction's own last state: downwards at the bottom row, upwards at the top row.
        last = last.transpose(0, 1).flatten(1)  # (directions, B, hidden) → (B, directions·hidden)
        logits: Tensor = self.fc(self.dropout(last))
        return logits


@torch.no_grad()
def initialise_layer(layer: nn.RNNBase) -> None:
    hidden = layer.hidden_size
    for name, parameter in layer.named_parameters():
        if parameter.is_meta:  # no numbers; `orthogonal_` would load torch's compiler, which takes a second
            continue
        if name.startswith("bias"):
            nn.init.zeros_(parameter)
            if isinstance(layer, nn.LSTM) and name.startswith("bias_ih"):
                parameter[hidden : 2 * hidden] = 1  # gates in torch's order: in, forget, cell, out
        else:
            start = nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_
            for gate in parameter.split(hidden):  # (gates·hidden, inputs) → (hidden, inputs) each
                start(gate)
