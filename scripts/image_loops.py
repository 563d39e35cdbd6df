"""The loops of `loops.py` for images: a U-Net on crops, predictions by the mean over crops."""

from math import gcd
from typing import Any, List, Tuple

import torch
from loops import Loop, fixed, optimizer
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate, softplus


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
        self.last = nn.Sequential(nn.Dropout2d(encoder["dropout"]), nn.Conv2d(first, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logits, `(batch, height, width)`."""
        maps = [self.first(x)]
        for stage in self.down:
            maps.append(stage(maps[-1]))
        h = maps.pop()
        for stage in reversed(self.up):
            fine = maps.pop()
            h = stage(torch.cat([fine, interpolate(h, fine.shape[2:], mode="bilinear")], dim=1))
        return self.last(h)[:, 0]


class Score(nn.Module):
    """Local potentials, neighbouring pixels, and convolutions over image and mask."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.local = UNet(config["encoder"])
        self.pairs = nn.Parameter(torch.zeros(2, 3))
        settings = config["image_and_mask"]
        first, *more = settings["hidden"]
        self.of_image = nn.Conv2d(3, first, 5, padding=2)
        self.of_mask = nn.Conv2d(1, first, 5, padding=2, bias=False)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 5, stride=2, padding=2)
            for before, after in zip(settings["hidden"], more, strict=False)
        )
        size = settings["hidden"][-1]
        self.summary = nn.Sequential(
            nn.Dropout(settings["dropout"]),
            nn.Linear(size, size),
            nn.Softplus(),
            nn.Linear(size, 1, bias=False),
        )

    def of_x(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """What does not depend on y."""
        return self.local(x), self.of_image(x)

    def forward(self, of_x: Tuple[torch.Tensor, torch.Tensor], y: torch.Tensor) -> torch.Tensor:
        """The scores of y, `(batch, samples)`."""
        potentials, image = of_x
        score = (potentials.unsqueeze(1) * y).sum((2, 3))
        for direction, dim in enumerate((3, 2)):
            size = y.shape[dim] - 1
            p, q = y.narrow(dim, 0, size), y.narrow(dim, 1, size)
            both = p * q
            same, falling, rising = self.pairs[direction]
            pairs = same * (1 - p - q + 2 * both) + falling * (p - both) + rising * (q - both)
            score = score + pairs.sum((2, 3))
        masks = self.of_mask(y.flatten(0, 1).unsqueeze(1)).unflatten(0, y.shape[:2])
        h = softplus(image.unsqueeze(1) + masks).flatten(0, 1)
        for layer in self.convolutions:
            h = softplus(layer(h))
        return score + self.summary(h.mean((2, 3))).view(y.shape[:2])


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
        """One pass over crops of the data."""
        for rows in torch.randperm(len(self.x)).split(self.batch_size):
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
    """SEAL with a value network: it learns the IoU of the task network's outputs and of the truth,
    and the task network raises the value."""

    def build(self, model: torch.nn.Module) -> None:
        super().build(model)
        self.score = Score(self.config["model"]["score_network"])
        settings = self.config["trainer"]["networks"]["score_network"]["optimizer"]
        self.score_optimizer = optimizer(settings, self.score)

    def train_batch(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        y = torch.stack([self.predict_windows(x), truth], dim=1)
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
