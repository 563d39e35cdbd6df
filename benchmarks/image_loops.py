"""The loops of `loops.py` for images: a U-Net on crops, predictions by the mean over crops."""

from math import gcd
from typing import Any, List, Tuple

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate, softplus

from benchmarks.loops import Loop, fixed, optimizer


def block(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Two convolutions, each normalised by groups."""
    layers: List[nn.Module] = []
    for channels, step in ((before, stride), (after, 1)):
        layers.append(nn.Conv2d(channels, after, 3, stride=step, padding=1, bias=False))
        layers += [nn.GroupNorm(gcd(8, after), after), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """A logit for each pixel."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        first, *more = encoder["hidden"]
        channels = [first, *more]
        self.first = block(3, first)
        pairs = list(zip(channels, more, strict=False))
        self.down = nn.ModuleList(block(fine, coarse, stride=2) for fine, coarse in pairs)
        self.up = nn.ModuleList(block(fine + coarse, fine) for fine, coarse in pairs)
        self.dropout = nn.Dropout2d(encoder["dropout"])
        self.last = nn.Conv2d(first, 1, 1)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the logits are made of."""
        maps = [self.first(x)]
        for stage in self.down:
            maps.append(stage(maps[-1]))
        h = maps.pop()
        for stage in reversed(self.up):
            fine = maps.pop()
            h = stage(torch.cat([fine, interpolate(h, fine.shape[2:], mode="bilinear")], dim=1))
        return self.dropout(h)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logits, `(batch, height, width)`."""
        return self.last(self.features(x))[:, 0]


class Score(nn.Module):
    """The mean of local potentials, and a layer over each pixel's features and output."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.local = UNet(config["encoder"])
        (settings,) = config["structured_scores"]
        (size,) = settings["hidden"]
        self.of_features = nn.Conv2d(config["encoder"]["hidden"][0], size, 1)
        self.of_mask = nn.Conv2d(1, size, 1, bias=False)
        self.summary = nn.Sequential(
            nn.Dropout(settings["dropout"]),
            nn.Linear(size, size),
            nn.Softplus(),
            nn.Linear(size, 1, bias=False),
        )

    def of_x(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """What does not depend on y."""
        features = self.local.features(x)
        return self.local.last(features)[:, 0], self.of_features(features)

    def forward(self, of_x: Tuple[torch.Tensor, torch.Tensor], y: torch.Tensor) -> torch.Tensor:
        """The scores of y, `(batch, samples)`."""
        potentials, features = of_x
        masks = self.of_mask(y.flatten(0, 1).unsqueeze(1)).unflatten(0, y.shape[:2])
        hidden = softplus(features.unsqueeze(1) + masks).mean((3, 4))
        return (potentials.unsqueeze(1) * y).mean((2, 3)) + self.summary(hidden)[..., 0]


def iou(truth: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The relaxed intersection over union."""
    shared = (truth * y).sum((-2, -1))
    return shared / (truth.sum((-2, -1)) + y.sum((-2, -1)) - shared)


class ImageLoop(Loop):
    """A U-Net trained by cross-entropy on random crops and flips."""

    def build(self, model: torch.nn.Module) -> None:
        config = self.config["model"]
        self.task = UNet(config["task_network"]["encoder"])
        self.task_optimizer = optimizer(self.config["trainer"]["optimizer"], self.task)
        self.size = config["inference"]["size"]
        self.windows = config["inference"]["windows_per_side"]

    def train_epoch(self) -> None:
        """One epoch, of crops of the data."""
        for rows in torch.randperm(len(self.x)).split(self.batch_size)[: self.num_batches]:
            self.train_batch(*self.crops(self.x[rows], self.y[rows]))

    def crops(self, x: torch.Tensor, y: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """A random window of each image, half of them flipped."""
        number = torch.arange(len(x))[:, None, None]
        row, column = (
            torch.randint(whole - part + 1, (len(x), 1)) + torch.arange(part)
            for whole, part in zip(x.shape[2:], self.size, strict=True)
        )
        row, column = row[:, :, None], column[:, None, :]
        flip = torch.rand(len(x), 1, 1) < 0.5
        column = torch.where(flip, column.flip(2), column)
        return x[number, :, row, column].movedim(-1, 1), y[number, row, column]

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """The probabilities, by the mean over windows and their mirror images."""
        starts = [
            [(whole - part) * i // (self.windows - 1) for i in range(self.windows)]
            for whole, part in zip(x.shape[2:], self.size, strict=True)
        ]
        places = [
            (..., slice(row, row + self.size[0]), slice(column, column + self.size[1]))
            for row in starts[0]
            for column in starts[1]
        ]
        crops = torch.cat([x[place] for place in places])
        plain, mirrored = self.predict_windows(torch.cat([crops, crops.flip(-1)])).chunk(2)
        windows = (plain + mirrored.flip(-1)) / 2
        total, count = torch.zeros(len(x), *x.shape[2:]), torch.zeros(x.shape[2:])
        for place, part in zip(places, windows.split(len(x)), strict=True):
            total[place] += part
            count[place[1:]] += 1
        return total / count

    def predict_windows(self, x: torch.Tensor) -> torch.Tensor:
        """The probabilities of windows."""
        with fixed(self.task):
            return torch.sigmoid(self.task(x))

    def quality(self, truth: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Of each mask."""
        return iou(truth, y)


class ImageValueLoop(ImageLoop):
    """SEAL with a value network: it learns the IoU of the task network's outputs, of the truth and
    of perturbed truths, and the task network raises the value."""

    def build(self, model: torch.nn.Module) -> None:
        super().build(model)
        self.score = Score(self.config["model"]["score_network"])
        settings = self.config["trainer"]["networks"]["score_network"]["optimizer"]
        self.score_optimizer = optimizer(settings, self.score)
        *_, perturbed = self.config["model"]["sampler"]["constituents"]
        self.perturbed = perturbed["num_samples"]

    def train_batch(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        kept = torch.rand(len(x), self.perturbed, *truth.shape[1:]) >= torch.rand(
            len(x), self.perturbed, 1, 1
        )
        random = (torch.rand_like(kept, dtype=truth.dtype) < 0.5).to(truth)
        outputs = torch.stack([self.predict_windows(x), truth], dim=1)
        y = torch.cat([outputs, torch.where(kept, truth.unsqueeze(1), random)], dim=1)
        value = self.score(self.score.of_x(x), y)
        target = iou(truth.unsqueeze(1), y)
        self.step(self.score_optimizer, binary_cross_entropy_with_logits(value, target))
        logits = self.task(x)
        with fixed(self.score):
            value = self.score(self.score.of_x(x), torch.sigmoid(logits).unsqueeze(1))
            value_weight, cross_entropy = self.config["model"]["inference"]["loss"]["weights"]
            loss = value_weight * softplus(-value).mean()
            loss = loss + cross_entropy * self.cross_entropy(logits, truth)
            self.step(self.task_optimizer, loss)
