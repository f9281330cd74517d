"""The weights of a network drawn anew, as its architecture begins: also of one that has become smaller, whose
layers then begin as those of a network that was built so."""

from __future__ import annotations

import torch
from torch import nn

from core.models.attention import Attention
from core.models.rnn import RNN, initialise_layer
from core.randomness import private_draws


@torch.no_grad()
def draw_anew(model: nn.Module, seed: int) -> None:
    """In place; the same ``seed`` draws the same weights."""
    with private_draws(seed):
        if isinstance(model, RNN):
            for layer in model.layers:
                initialise_layer(layer)
            model.fc.reset_parameters()
        elif isinstance(model, Attention):
            model.initialise()
        else:
            for module in model.children():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    if module.bias is not None:
                        nn.init.zeros_(module.bias)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d | nn.LayerNorm):
                module.reset_parameters()
