"""A task network that is cross-fitted: no instance of the training data is predicted by a network
that was trained on it."""

from typing import Any, Dict, Tuple

import numpy as np
import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from ..encoded import at_least_single, rows_of
from ..encoders import Encoder, instance_hashes
from ..output_spaces import OutputSpace
from ..projection import LinearProjection
from ..vocabulary import names
from .task_network import TaskNetwork


@TaskNetwork.register("cross-fitted")
class CrossFittedTaskNetwork(TaskNetwork):
    """K networks, each trained on K − 1 of K folds of the training data.

    A network is surer of the data that it was trained on than of others, so that a score network
    that learns from its outputs for training data learns to correct another network than the one
    that predicts. Here an instance of the training data has the logits of the network that was not
    trained on it, and any other instance those of the mean probabilities of all networks.

    In training mode a batch passes through one of the networks, at random, which is the same one in
    all workers; its logits of the instances of the fold of that network are constants. An epoch
    costs as much as one of a single network, and each network takes 1 / K of the steps: K times as
    many epochs are needed. The fold of an instance follows from a hash of its content, and the
    hashes of the instances of the training data, which trainers collect before the first step, are
    saved with the weights.

    # Parameters

    encoder : `Lazy[Encoder]`
        x to h, for each network; x are feature vectors or texts.
    num_folds : `int`
        K.

    # Raises

    `ConfigurationError` for fewer than 2 folds, and for an encoder of tokens or pixels.
    """

    projection: LinearProjection
    seen: torch.Tensor
    factors: torch.Tensor

    def __init__(
        self,
        vocab: Vocabulary,
        output_space: OutputSpace,
        encoder: Lazy[Encoder],
        num_folds: int = 5,
    ) -> None:
        if num_folds < 2:
            raise ConfigurationError(
                "Expected at least 2 folds in the task network 'cross-fitted', got num_folds "
                f"{num_folds}."
            )
        super().__init__(vocab, output_space, encoder.construct(vocab=vocab))
        size = len(names(vocab, "features"))
        if self.encoder.position_dims:
            raise ConfigurationError(
                "Expected an encoder of feature vectors or texts in the task network "
                f"'cross-fitted', got {type(self.encoder).__name__}; use 'encoder'."
            )
        self.output_space = output_space
        self.num_folds = num_folds
        encoders = [self.encoder, *(encoder.construct(vocab=vocab) for _ in range(1, num_folds))]
        self.encoders = torch.nn.ModuleList(encoders[1:])
        self.projections = torch.nn.ModuleList(
            LinearProjection(each, output_space, self.projection.out_features)
            for each in encoders[1:]
        )
        generator = torch.Generator().manual_seed(0)
        factors = torch.randint(-(2**62), 2**62, (size,), generator=generator)
        self.register_buffer("factors", factors, persistent=False)
        self.register_buffer("seen", torch.zeros(0, dtype=torch.long))
        self.num_drawn = 0  # networks, one for each batch

    def hashes(self, x: Any) -> torch.Tensor:
        """Return a hash of each instance, `(batch,)`, that does not depend on the batch.

        # Raises

        `ValueError` where x are no feature vectors of the size of the training data.
        """
        if isinstance(x, dict):
            own = np.ascontiguousarray(instance_hashes(x)[:, 0]).view(np.int64)
            return torch.from_numpy(own).to(self.seen.device)
        if not isinstance(x, torch.Tensor) or x.shape[1:] != self.factors.shape:
            found = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
            raise ValueError(
                "Expected feature vectors (batch, num_features) = (batch, "
                f"{len(self.factors)}) for the task network 'cross-fitted', got {found}."
            )
        bits = x.detach().float().contiguous().view(torch.int32).long()
        return (bits * self.factors).sum(1)

    def add(self, hashes: torch.Tensor) -> None:
        """Add hashes of instances of the training data."""
        self.seen = torch.cat([self.seen, hashes.to(self.seen.device)]).unique()

    def encode(self, x: Any, mask: Any) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of x, twice: h of different networks cannot be compared."""
        hashes = self.hashes(x)
        folds = (hashes >> 40) % self.num_folds
        if self.training:
            if not torch.isin(hashes, self.seen).all():  # a trainer that did not call `prepare`
                self.add(hashes)
            network = self._draw_network()
            logits = self._of_network(network, x)
            logits = torch.where((folds == network).unsqueeze(1), logits.detach(), logits)
            return logits, logits
        is_seen = torch.isin(hashes, self.seen)
        logits = self.projection.weight.new_empty(len(hashes), self.projection.out_features)
        known, unknown = is_seen.nonzero().flatten(), (~is_seen).nonzero().flatten()
        if len(known):
            logits[known] = self._of_networks(rows_of(x, known), folds[known])
        if len(unknown):
            others = rows_of(x, unknown)
            each = [self._of_network(k, others) for k in range(self.num_folds)]
            mean = self.output_space.normalize(torch.stack(each)).mean(0)
            logits[unknown] = self.output_space.logits_of(mean)
        return logits, logits

    def _draw_network(self) -> int:
        """Return the network of the next batch. It follows from the number of batches before: the
        random numbers of workers differ as soon as one of them has a batch of another size."""
        generator = torch.Generator().manual_seed(self.num_drawn)
        self.num_drawn += 1
        return int(torch.randint(self.num_folds, (), generator=generator))

    def _of_networks(self, x: Any, networks: torch.Tensor) -> torch.Tensor:
        """Return the logits of each instance by its network."""
        rows = [(networks == k).nonzero().flatten() for k in range(self.num_folds)]
        parts = [self._of_network(k, rows_of(x, own)) for k, own in enumerate(rows) if len(own)]
        return torch.cat(parts)[torch.cat(rows).argsort()]

    def _of_network(self, k: int, x: Any) -> torch.Tensor:
        if k == 0:
            return at_least_single(self.projection(self.encoder(x, None)))
        return at_least_single(self.projections[k - 1](self.encoders[k - 1](x, None)))

    def get_extra_state(self) -> torch.Tensor:
        """Return the number of networks that were drawn, for a checkpoint."""
        return torch.tensor(self.num_drawn)

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Restore the number of networks that were drawn."""
        self.num_drawn = int(state)

    def _load_from_state_dict(self, state_dict: Dict[str, Any], prefix: str, *rest: Any) -> None:
        saved = state_dict.get(f"{prefix}seen")
        if saved is not None:
            self.seen = self.seen.new_empty(saved.shape)
        state_dict.setdefault(f"{prefix}_extra_state", self.get_extra_state())  # of old versions
        super()._load_from_state_dict(state_dict, prefix, *rest)
