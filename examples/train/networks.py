"""The networks of the examples: one small transformer with the variants that matter to a translator, an MLP, a LeNet.

Attention and normalizations are spelled out, so that the exported graph is the computation and nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Architecture:
    """The choices of a `Transformer`; `max_length` bounds the table of positions, where there is one."""

    letters: str
    n_classes: int = 2
    width: int = 8
    heads: int = 1
    layers: int = 1
    hidden: int = 16
    activation: Literal["relu", "gelu", "silu"] = "relu"
    norm: Literal["none", "layer_post", "rms_pre"] = "none"
    positions: Literal["none", "learned", "sinusoidal"] = "none"
    mask: Literal["none", "tril", "trilu"] = "none"
    readout: Literal["mean", "max", "last", "cls", "each"] = "mean"
    max_length: int = 16


class LayerNorm(nn.Module):
    """``(x - mean) / sqrt(variance + eps) * gain + bias``, written out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / torch.sqrt((centred * centred).mean(-1, keepdim=True) + 1e-5) * self.gain + self.bias


class RMSNorm(nn.Module):
    """``x / sqrt(mean(x^2) + eps) * gain``, written out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * self.gain


class Attention(nn.Module):
    """Softmax attention; `mask` "tril" hides later positions by -inf from a stored table, "trilu" by adding -1e9."""

    def __init__(self, of: Architecture) -> None:
        super().__init__()
        self.heads, self.mask = of.heads, of.mask
        self.query, self.key, self.value, self.out = (nn.Linear(of.width, of.width) for _ in range(4))
        if of.mask == "tril":
            self.register_buffer("seen", torch.tril(torch.ones(of.max_length, of.max_length)))

    def split(self, x: Tensor) -> Tensor:
        """Shape ``(B, n, width)`` to ``(B, heads, n, width / heads)``."""
        return x.view(x.shape[0], -1, self.heads, x.shape[2] // self.heads).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[1]
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
        if self.mask == "tril":
            scores = scores.masked_fill(self.seen[:n, :n] == 0, float("-inf"))
        elif self.mask == "trilu":
            scores = scores + torch.triu(torch.full((n, n), -1e9), diagonal=1)
        mixed = torch.softmax(scores, dim=-1) @ value
        return self.out(mixed.transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    """Attention and a two-layer perceptron, each added to the residual stream."""

    def __init__(self, of: Architecture) -> None:
        super().__init__()
        self.norm = of.norm
        self.attention = Attention(of)
        self.up, self.down = nn.Linear(of.width, of.hidden), nn.Linear(of.hidden, of.width)
        self.activation = {"relu": functional.relu, "gelu": functional.gelu, "silu": functional.silu}[of.activation]
        if of.norm != "none":
            make = LayerNorm if of.norm == "layer_post" else RMSNorm
            self.norm1, self.norm2 = make(of.width), make(of.width)

    def forward(self, x: Tensor) -> Tensor:
        if self.norm == "layer_post":
            x = self.norm1(x + self.attention(x))
            return self.norm2(x + self.down(self.activation(self.up(x))))
        if self.norm == "rms_pre":
            x = x + self.attention(self.norm1(x))
            return x + self.down(self.activation(self.up(self.norm2(x))))
        x = x + self.attention(x)
        return x + self.down(self.activation(self.up(x)))


def sinusoids(length: int, width: int) -> Tensor:
    """The table of Vaswani et al. 2017, section 3.5: ``(length, width)``."""
    angle = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(length, width)


class Transformer(nn.Module):
    """Tokens ``(B, n)`` to logits ``(B, classes)``, or ``(B, n, classes)`` with the readout "each"."""

    def __init__(self, of: Architecture) -> None:
        super().__init__()
        self.positions, self.readout = of.positions, of.readout
        self.embedding = nn.Embedding(len(of.letters), of.width)
        if of.positions == "learned":
            self.table = nn.Parameter(0.5 * torch.randn(of.max_length, of.width))
        elif of.positions == "sinusoidal":
            self.register_buffer("table", sinusoids(of.max_length, of.width))
        if of.readout == "cls":
            self.cls = nn.Parameter(0.5 * torch.randn(1, 1, of.width))
        self.blocks = nn.ModuleList(Block(of) for _ in range(of.layers))
        self.head = nn.Linear(of.width, of.n_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        if self.positions != "none":
            x = x + self.table[: x.shape[1]]
        if self.readout == "cls":
            x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        match self.readout:
            case "mean":
                x = x.mean(dim=1)
            case "max":
                x = x.amax(dim=1)
            case "last":
                x = x[:, -1]
            case "cls":
                x = x[:, 0]
        return self.head(x)


class Perceptron(nn.Sequential):
    """Real numbers ``(B, 4)`` to logits ``(B, 2)``."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 2))


class LeNet(nn.Sequential):
    """Images ``(B, 1, 8, 8)`` to logits ``(B, 10)``, after LeCun et al. 1998; `channels` of the two convolutions."""

    def __init__(self, channels: tuple[int, int] = (4, 6)) -> None:
        first, second = channels
        super().__init__(
            nn.Conv2d(1, first, 3, padding=1),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * second, 10),
        )
