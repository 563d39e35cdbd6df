"""An encoder that is not trained, and encodes each input once."""

import hashlib
import logging
import math
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Tuple
from weakref import WeakValueDictionary

import numpy as np
import pooch
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.nn.util import get_text_field_mask

from ..encoded import CONSTANT, at_least_single, rows_of
from .content_hashes import hashes_of, tensors_of
from .encoder import Encoder
from .stored import Batch, FileStore, MemoryStore, Store

logger = logging.getLogger(__name__)

# As how many tokens a pass counts, whatever its size: on a GPU it is padding that costs little.
_TOKENS_OF_A_PASS = {"cpu": 24}
_TOKENS_OF_A_PASS_OF_A_GPU = 2**15
_TEXTS_OF_A_PASS = 256

# The tensors of a transformer's indexer; where words have several pieces, some are of words.
_OF_PIECES = {"token_ids", "type_ids", "wordpiece_mask"}
_OF_WORDS = {"mask", "offsets"}

# The stores in use: equal encoders share one. A file is opened once, with the limit of the first.
_STORES: WeakValueDictionary[Tuple[str, str, int], Store] = WeakValueDictionary()


@Encoder.register("frozen")
class FrozenEncoder(Encoder):
    """h of an encoder whose weights are constant: each input is encoded once and then looked up.

    A pretrained transformer costs one pass over the data; a later epoch costs a look-up for each
    batch. Encodings are found by the content of an instance, so the order of the data, the batches
    and their padding do not matter. Trained layers follow:
    `{ type: 'feedforward', encoder: { type: 'frozen', encoder: … }, feedforward: … }`.

    # Parameters

    encoder : `Encoder`
        The encoder, in evaluation mode in training too.
    store : `"memory"` or `"file"`
        Where encodings are stored: for this process, or in a memory-mapped file in the cache folder
        of the user, named by the weights and settings of the encoder, which later runs reuse.
    dropout : `float`
        The dropout of h.
    limit_gib : `float`
        The size of the store in GiB; further inputs are encoded each time, after one warning.

    # Raises

    `ConfigurationError` for another `store`, a dropout outside [0, 1), and a limit of 0 or less.
    """

    def __init__(
        self,
        encoder: Encoder,
        store: Literal["memory", "file"] = "memory",
        dropout: float = 0.0,
        limit_gib: float = 4.0,
    ) -> None:
        super().__init__()
        if store not in ("memory", "file") or not 0 <= dropout < 1 or limit_gib <= 0:
            raise ConfigurationError(
                "Expected a store 'memory' or 'file', a dropout in [0, 1) and a positive limit_gib "
                f"of the encoder 'frozen', got '{store}', {dropout} and {limit_gib}."
            )
        if encoder.takes_encoded:
            raise ConfigurationError(
                "Expected an encoder that reads no other network in the encoder 'frozen', got "
                f"{type(encoder).__name__}, whose encodings change in training."
            )
        self.encoder = encoder.requires_grad_(False).eval()
        object.__setattr__(self.encoder, CONSTANT, True)
        self.position_dims = encoder.position_dims
        self.output_size = encoder.output_size
        self.dropout = torch.nn.Dropout(dropout)
        self.store = store
        self.limit = int(limit_gib * 2**30)
        # Walking through the parts of an encoder for each batch would cost more than the look-up.
        self._weights = [part._parameters for part in encoder.modules() if part._parameters]
        self._versions: Tuple[List[int], List[int]] = ([], [])
        self._fingerprint = ""
        self._encodings: Optional[Store] = None
        self._is_full = False

    def train(self, mode: bool = True) -> "FrozenEncoder":
        """Set the mode of the dropout; the encoder stays in evaluation mode."""
        self.training = mode
        self.dropout.train(mode)
        if self.encoder.training:
            self.encoder.eval()
        return self

    @property
    def num_bytes(self) -> int:
        """The bytes of the stored encodings and of their index; 0 before the first input."""
        return 0 if self._encodings is None else self._encodings.num_bytes

    def encode(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        with torch.no_grad():
            return self.dropout(self._stored(x, mask))

    def _stored(self, x: Any, mask: Optional[torch.Tensor]) -> torch.Tensor:
        if self.position_dims > 0 and isinstance(x, torch.Tensor) != (self.position_dims == 2):
            return self.encoder(x, mask)  # raises an error that names the input it expects
        batch, shape, device = _batch_of(x, mask, self.position_dims)
        store = self._store_of()
        stored = store.get(batch)
        if stored is None:
            self._fill(store, batch, x, mask)
            stored = store.get(batch)
        if stored is None:
            return self.encoder(x, mask)
        return torch.from_numpy(stored).to(device).view(len(stored), *shape, self.output_size)

    def _fill(self, store: Store, batch: Batch, x: Any, mask: Optional[torch.Tensor]) -> None:
        """Encode and store the missing instances of the batch, while there is room."""
        missing = store.missing(batch)
        if not missing or self._is_full:
            return
        index = torch.tensor(missing)
        x = rows_of(x, index)
        mask = None if mask is None else mask[index]
        lengths = _lengths(x)
        h = self.encoder(x, mask) if lengths is None else self._by_length(x, mask, lengths)
        vectors = at_least_single(h).reshape(len(missing), batch.width, self.output_size)
        if not store.put(batch, missing, vectors.cpu().numpy()):
            self._is_full = True
            logger.warning(
                "The store of the encoder 'frozen' is full (%.2f GiB): further inputs are encoded "
                "each time. Set limit_gib to more, and leave out augmentations of x.",
                self.limit / 2**30,
            )

    def _by_length(
        self, x: Any, mask: Optional[torch.Tensor], lengths: torch.Tensor
    ) -> torch.Tensor:
        """Return the vectors of texts or of their words, texts of like length together: padding
        costs time and memory."""
        in_order, order = lengths.sort()
        tokens = _TOKENS_OF_A_PASS.get(lengths.device.type, _TOKENS_OF_A_PASS_OF_A_GPU)
        parts = order.split(pass_sizes(in_order.cpu().numpy(), tokens))
        vectors = []
        num_words = 0 if self.position_dims == 0 else get_text_field_mask(x).shape[1]
        for part in parts:
            rows = _cut(rows_of(x, part))
            if self.position_dims == 0:
                vectors.append(self.encoder(rows))
                continue
            width = get_text_field_mask(rows).shape[1]
            h = self.encoder(rows, None if mask is None else mask[part, :width])
            vectors.append(torch.nn.functional.pad(h, (0, 0, 0, num_words - width)))
        return torch.cat(vectors)[torch.cat(parts).argsort()]

    def _store_of(self) -> Store:
        """Return the store of the present weights."""
        weights = [w for part in self._weights for w in part.values() if w is not None]
        versions = ([*map(id, weights)], [weight._version for weight in weights])
        if self._encodings is None or versions != self._versions:
            fingerprint = fingerprint_of(self.encoder)
            if fingerprint != self._fingerprint:
                key = (self.store, fingerprint, self.limit if self.store == "memory" else 0)
                self._encodings = _STORES.get(key)
                if self._encodings is None:
                    self._encodings = self._new_store(fingerprint)
                _STORES[key] = self._encodings
                self._is_full = False
            self._versions, self._fingerprint = versions, fingerprint
        assert self._encodings is not None
        return self._encodings

    def _new_store(self, fingerprint: str) -> Store:
        weight = next(self.encoder.parameters(), torch.zeros(()))
        dtype = np.dtype(str(at_least_single(weight).dtype).removeprefix("torch."))
        if self.store == "memory":
            return MemoryStore(self.output_size, dtype, self.limit)
        folder = Path(pooch.os_cache("structured_energy")) / "encodings" / fingerprint
        return FileStore(self.output_size, dtype, self.limit, folder)


def fingerprint_of(module: torch.nn.Module) -> str:
    """Return a hash of the weights and the settings of a module."""
    digest = hashlib.sha256()
    for name, part in module.named_modules():
        settings = {
            key: value
            for key, value in vars(part).items()
            if key not in ("training", CONSTANT)
            and isinstance(value, (bool, int, float, str, tuple, list))
        }
        digest.update(repr((name, type(part).__qualname__, sorted(settings.items()))).encode())
    for name, tensor in module.state_dict().items():
        digest.update(repr((name, tuple(tensor.shape), tensor.dtype)).encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:32]


def _batch_of(
    x: Any, mask: Optional[torch.Tensor], position_dims: int
) -> Tuple[Batch, Tuple[int, ...], torch.device]:
    """Return the batch, the shape of its positions, and its device."""
    tensors = tensors_of(x)
    shape: Tuple[int, ...] = ()
    lengths = None
    if position_dims > 0:
        if position_dims == 1:
            mask = get_text_field_mask(x) if mask is None else mask
            shape = (mask.shape[1],)
            lengths = _ends(mask).cpu().numpy()  # a masked token may precede a real one
        else:
            shape = tuple(x.shape[2:])
        # Encodings of positions depend on which of them are real.
        tensors += [] if mask is None else [mask]
    keys = hashes_of(tensors).view("V16").ravel().tolist()
    return Batch(keys, math.prod(shape), lengths), shape, tensors[0].device


def _lengths(x: Any) -> Optional[torch.Tensor]:
    """Return the number of a transformer's tokens of each text; `None` for other inputs, and where
    the tensors do not all say so."""
    if not isinstance(x, dict):
        return None
    for tensors in x.values():
        known = isinstance(tensors, dict) and "mask" in tensors
        if not known or tensors.keys() - _OF_PIECES - _OF_WORDS:
            return None
    return torch.stack([_ends(_mask_of_pieces(tensors)) for tensors in x.values()]).amax(0)


def _mask_of_pieces(tensors: Dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the mask of word pieces; without words of several pieces it is the only mask."""
    return tensors.get("wordpiece_mask", tensors["mask"])


def _ends(mask: torch.Tensor) -> torch.Tensor:
    """Return the number of positions up to the last real one of each row."""
    return (mask * torch.arange(1, mask.shape[1] + 1, device=mask.device)).amax(1)


def pass_sizes(lengths: np.ndarray, tokens_of_a_pass: int) -> List[int]:
    """Return how many texts of rising lengths to encode in each pass, such that the padded tokens
    of all passes, and `tokens_of_a_pass` more for each, are fewest.

    >>> pass_sizes(np.array([3, 3, 4, 90, 99]), 24)
    [3, 2]
    """
    fewest = np.zeros(len(lengths) + 1)  # for the first texts
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    for end in range(1, len(lengths) + 1):
        first = max(end - _TEXTS_OF_A_PASS, 0)
        tokens = fewest[first:end] + np.arange(end - first, 0, -1) * lengths[end - 1]
        starts[end] = first + tokens.argmin()
        fewest[end] = tokens.min() + tokens_of_a_pass
    sizes: List[int] = []
    end = len(lengths)
    while end > 0:
        sizes.append(int(end - starts[end]))
        end = int(starts[end])
    return sizes[::-1]


def _cut(x: Any) -> Any:
    """Return the texts without the padding that all have."""
    return {name: _cut_tensors(tensors) for name, tensors in x.items()}


def _cut_tensors(tensors: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    pieces = int(_ends(_mask_of_pieces(tensors)).max())
    words = int(_ends(tensors["mask"]).max())
    return {k: t[:, : pieces if k in _OF_PIECES else words] for k, t in tensors.items()}
