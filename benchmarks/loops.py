"""The loops that `benchmarks.training_speed` measures against: methods without a framework.

The same networks, batch size and optimisers as the config, the whole set as a tensor, no metrics,
no logging, no console. What a loop can compute once, it computes once.
"""

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Optional

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

Objective = Callable[[torch.Tensor], torch.Tensor]


def network(like: torch.nn.Module) -> torch.nn.Sequential:
    """A network of x of the same shape, as a plain sequence of layers."""
    layers: List[torch.nn.Module] = []
    feedforward = like.encoder.feedforward
    for linear, dropout in zip(feedforward._linear_layers, feedforward._dropout, strict=True):
        layers.append(torch.nn.Linear(linear.in_features, linear.out_features))
        layers += [torch.nn.Softplus(), torch.nn.Dropout(dropout.p)]
    labels = like.projection
    return torch.nn.Sequential(*layers, torch.nn.Linear(labels.in_features, labels.out_features))


def optimizer(config: Dict[str, Any], *parts: torch.nn.Module) -> torch.optim.Optimizer:
    """torch's fused AdamW with the settings of a config."""
    settings = {key: value for key, value in config.items() if key != "type"}
    parameters = [parameter for part in parts for parameter in part.parameters()]
    return torch.optim.AdamW(parameters, fused=True, **settings)


@contextlib.contextmanager
def fixed(*parts: torch.nn.Module) -> Iterator[None]:
    """Inside, networks have no dropout and take no gradient."""
    for part in parts:
        part.eval().requires_grad_(False)
    try:
        yield
    finally:
        for part in parts:
            part.train().requires_grad_(True)


def f1(truth: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The relaxed F1 over the last dimension."""
    return 2 * (truth * y).sum(-1) / (truth.sum(-1) + y.sum(-1))


class Loop:
    """The data in batches, and a task network trained by cross-entropy."""

    num_batches: Optional[int] = None
    """The length of an epoch, by default a pass over the data."""

    def __init__(self, model: torch.nn.Module, data_loader: Any, config: Dict[str, Any]) -> None:
        self.config = config
        batches = list(data_loader)
        self.x = torch.cat([batch["x"] for batch in batches])
        self.y = torch.cat([batch["labels"] for batch in batches]).float()
        self.batch_size = config["data_loader"]["batch_size"]
        self.evaluation_size = config["validation_data_loader"]["batch_size"]
        self.build(model)

    def build(self, model: torch.nn.Module) -> None:
        """Makes the networks and their optimisers."""
        self.task = network(model.task_network)
        self.task_optimizer = optimizer(self.config["trainer"]["optimizer"], self.task)

    def train_epoch(self) -> None:
        """One epoch."""
        for rows in torch.randperm(len(self.x)).split(self.batch_size)[: self.num_batches]:
            self.train_batch(self.x[rows], self.y[rows])

    def train_batch(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        """All steps on one batch."""
        logits = self.task(x)
        self.step(self.task_optimizer, self.cross_entropy(logits, truth))

    @staticmethod
    def cross_entropy(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """The sum over labels, the mean over instances."""
        return binary_cross_entropy_with_logits(logits, truth, reduction="sum") / len(logits)

    @staticmethod
    def step(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        """One step of an optimiser."""
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        """The probabilities."""
        with fixed(self.task):
            return torch.sigmoid(self.task(x))

    def evaluate(self) -> float:
        """The quality at a threshold of 0.5, the mean over the data."""
        values = [
            self.quality(truth, (self.predict(x) > 0.5).float()).nan_to_num(1.0).sum()
            for x, truth in zip(
                self.x.split(self.evaluation_size), self.y.split(self.evaluation_size), strict=True
            )
        ]
        return float(torch.stack(values).sum() / len(self.x))

    def quality(self, truth: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Of each output."""
        return f1(truth, y)


class ScoreLoop(Loop):
    """The base of loops with a score network."""

    def build(self, model: torch.nn.Module) -> None:
        score_config = self.config["trainer"]["optimizer"]
        if model.task_network is not None:
            super().build(model)
            score_config = self.config["trainer"]["networks"]["score_network"]["optimizer"]
        self.score = network(model.score_network)
        patterns = model.score_network.structured_scores[0].feedforward._linear_layers[0]
        self.patterns = torch.nn.Sequential(
            torch.nn.Linear(patterns.in_features, patterns.out_features),
            torch.nn.Softplus(),
            torch.nn.Linear(patterns.out_features, 1, bias=False),
        )
        self.score_optimizer = optimizer(score_config, self.score, self.patterns)

    def s(self, potentials: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The scores of y, one or several for each instance, from the potentials of x."""
        return (potentials * y).sum(-1) + self.patterns(y).squeeze(-1)


class InferenceNetworkLoop(ScoreLoop):
    """An inference network against a margin-rescaled score network."""

    def train_batch(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        cost_weight = self.config["model"]["loss"]["oracle_cost_weight"]
        y = self.predict(x)
        potentials = self.score(x)
        margin = cost_weight * (1 - f1(truth, y)) + self.s(potentials, y)
        self.step(self.score_optimizer, (margin - self.s(potentials, truth)).clamp(min=0).mean())
        logits = self.task(x)
        y = torch.sigmoid(logits)
        inference, oracle_cost, cross_entropy = self.config["model"]["sampler"]["loss"]["weights"]
        cost = 1 - f1(truth, y)
        with fixed(self.score, self.patterns):
            gain = cost_weight * cost + self.s(self.score(x), y)
            terms = oracle_cost * cost - inference * gain
            loss = terms.mean() + cross_entropy * self.cross_entropy(logits, truth)
            self.step(self.task_optimizer, loss)


class NoiseContrastiveLoop(ScoreLoop):
    """Ranking noise-contrastive estimation on draws of the task network, the gradients of several
    batches added up."""

    def build(self, model: torch.nn.Module) -> None:
        super().build(model)
        self.pending = {self.score_optimizer: 0, self.task_optimizer: 0}
        self.accumulation = self.config["trainer"]["num_gradient_accumulation_steps"]

    def step(self, optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
        """A step of an optimiser at the last of several calls."""
        (loss / self.accumulation).backward()
        self.pending[optimiser] += 1
        if self.pending[optimiser] == self.accumulation:
            optimiser.step()
            optimiser.zero_grad()
            self.pending[optimiser] = 0

    def train_batch(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        with fixed(self.task):
            logits = self.task(x).unsqueeze(1)
            normalizer = softplus(logits).sum(-1)
        draws = self.config["model"]["sampler"]["num_samples"]
        for _ in range(self.config["trainer"]["steps"]["score_network"]):
            with torch.no_grad():
                y = torch.bernoulli(torch.sigmoid(logits).expand(-1, draws, -1))
                y = torch.cat([truth.unsqueeze(1), y], dim=1)
                log_prob = (logits * y).sum(-1) - normalizer
            f = self.s(self.score(x).unsqueeze(1), y) - log_prob
            self.step(self.score_optimizer, (f.logsumexp(1) - f[:, 0]).mean())
        logits = self.task(x)
        score, cross_entropy = self.config["model"]["inference"]["loss"]["weights"]
        with fixed(self.score, self.patterns):
            gain = self.s(self.score(x), torch.sigmoid(logits)).mean()
            loss = cross_entropy * self.cross_entropy(logits, truth) - score * gain
            self.step(self.task_optimizer, loss)


class ValueLoop(ScoreLoop):
    """A deep value network, on adversarial, true, random and predicted outputs."""

    def value_loss(
        self, potentials: torch.Tensor, y: torch.Tensor, truth: torch.Tensor
    ) -> torch.Tensor:
        """The cross-entropy of the value, for each output."""
        return binary_cross_entropy_with_logits(
            self.s(potentials, y), f1(truth, y), reduction="none"
        )

    def descend(self, objective: Objective, start: torch.Tensor) -> torch.Tensor:
        """Entropic mirror descent from what is undecided everywhere."""
        sampler = self.config["model"]["inference"]
        z = torch.zeros_like(start)
        for _ in range(sampler["num_steps"]):
            y = torch.sigmoid(z).requires_grad_()
            (gradient,) = torch.autograd.grad(objective(y).sum(), y)
            z = z - sampler["optimizer"]["learning_rate"] * gradient
        return torch.sigmoid(z)

    def predict(self, x: torch.Tensor) -> torch.Tensor:
        with fixed(self.score, self.patterns):
            potentials = self.score(x)
            return self.descend(lambda y: -self.s(potentials, y), potentials)

    def train_batch(self, x: torch.Tensor, truth: torch.Tensor) -> None:
        with fixed(self.score, self.patterns):
            potentials = self.score(x)
            outputs = (
                self.descend(lambda y: -self.value_loss(potentials, y, truth), potentials),
                truth,
                torch.rand_like(truth),
                self.descend(lambda y: -self.s(potentials, y), potentials),
            )
        y = torch.stack(outputs, dim=1)
        loss = self.value_loss(self.score(x).unsqueeze(1), y, truth.unsqueeze(1)).mean()
        self.step(self.score_optimizer, loss)
