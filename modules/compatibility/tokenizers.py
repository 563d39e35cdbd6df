"""Transformers and tokenizers by name, for current versions of transformers."""

import functools
from typing import Any, Callable, Dict, List

from allennlp.common import cached_transformers, util
from allennlp.common.checks import ConfigurationError

from ..package_files import package_path

_get = cached_transformers.get
_get_tokenizer = cached_transformers.get_tokenizer
_spacy_download = util.spacy_download


@functools.wraps(_get)
def get(model_name: str, *args: Any, **settings: Any) -> Any:
    """Return a transformer; its name may be that of a folder of an installed package."""
    return _get(package_path(model_name), *args, **settings)


@functools.wraps(_get_tokenizer)
def get_tokenizer(model_name: str, **settings: Any) -> Any:
    """Return a tokenizer with the methods that AllenNLP calls.

    AllenNLP says at each call whether special tokens are added, so the tokenizer is loaded without
    `add_special_tokens`, which transformers 4.48 no longer takes there.
    """
    settings.pop("add_special_tokens", None)
    tokenizer = _get_tokenizer(package_path(model_name), **settings)
    for name, method in _REMOVED.items():
        if not hasattr(tokenizer, name):
            setattr(type(tokenizer), name, method)
    return tokenizer


def spacy_download(model: str, *args: Any, **settings: Any) -> None:
    """Download a model of spaCy.

    # Raises

    `ConfigurationError` where it cannot be had, in place of the end of the process.
    """
    try:
        _spacy_download(model, *args, **settings)
    except (Exception, SystemExit):
        raise ConfigurationError(
            f"Expected spaCy's model '{model}', got none, and its download failed; install it "
            f"(`python -m spacy download {model}`), or choose another tokenizer."
        ) from None


def encode_plus(tokenizer: Any, text: Any, *args: Any, **settings: Any) -> Any:
    """Encode a text, or a pair of texts."""
    return tokenizer(text, *args, **settings)


def build_inputs_with_special_tokens(tokenizer: Any, ids: List[int], pair: Any = None) -> List[int]:
    """Return the ids of a text, or of a pair of texts, with special tokens around them."""
    texts = ["a"] if pair is None else ["a", "b"]
    whole = tokenizer(*texts)["input_ids"]
    parts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    result: List[int] = []
    start = 0
    for part, replacement in zip(parts, [ids, pair], strict=False):
        at = next(
            index for index in range(start, len(whole)) if whole[index : index + len(part)] == part
        )
        result += [*whole[start:at], *replacement]
        start = at + len(part)
    return [*result, *whole[start:]]


_REMOVED: Dict[str, Callable[..., Any]] = {
    "encode_plus": encode_plus,
    "build_inputs_with_special_tokens": build_inputs_with_special_tokens,
}
