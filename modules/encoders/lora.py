"""Parameter-efficient tuning of pretrained transformers."""

import re
from typing import Any, List, Literal, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.modules import TokenEmbedder

from .wrapped import WrappedEmbedder


@TokenEmbedder.register("lora")
class LoraEmbedder(WrappedEmbedder):
    """An embedder of a pretrained transformer of which only small additions are trained, by the
    package peft: low-rank updates of weights W + (alpha / rank) B A (LoRA, Hu et al. 2022), or
    factors of activations (IA³, Liu et al. 2022).

    # Parameters

    embedder : `TokenEmbedder`
        `pretrained_transformer`, `pretrained_transformer_mismatched`, or one around these; its
        weights are constant.
    method : `"lora"` or `"ia3"`
        Low-rank updates, or factors.
    rank : `int`
        The rank of an update.
    alpha : `int`, optional
        The scale of the updates, by default twice the rank.
    dropout : `float`
        Of the input of an update.
    target_modules : `str` or `List[str]`, optional
        The names of the layers that get an addition, or a regular expression; by default those that
        peft knows for the architecture.
    feedforward_modules : `str` or `List[str]`, optional
        Of `ia3`, the target modules that are feed-forward layers.

    # Raises

    `ConfigurationError` without the package peft, for another embedder, and for layers that the
    transformer does not have.
    """

    def __init__(
        self,
        embedder: TokenEmbedder,
        method: Literal["lora", "ia3"] = "lora",
        rank: int = 8,
        alpha: Optional[int] = None,
        dropout: float = 0.0,
        target_modules: Optional[Union[str, List[str]]] = None,
        feedforward_modules: Optional[Union[str, List[str]]] = None,
    ) -> None:
        if method not in ("lora", "ia3") or rank < 1 or not 0 <= dropout < 1:
            raise ConfigurationError(
                "Expected a method 'lora' or 'ia3', a rank of at least 1 and a dropout in [0, 1) "
                f"of the embedder 'lora', got '{method}', {rank} and {dropout}."
            )
        try:
            import peft
        except ImportError as error:
            said = str(error).partition("\n")[0]
            raise ConfigurationError(
                "Expected the package peft for the embedder 'lora', got an import that failed: "
                f"{said}; install it (`pip install 'structured-energy[peft]'`)."
            ) from None
        super().__init__(embedder, "lora")
        transformer = self.matched.transformer_model
        config: Any
        if method == "lora":
            config = peft.LoraConfig(
                r=rank,
                lora_alpha=2 * rank if alpha is None else alpha,
                lora_dropout=dropout,
                target_modules=target_modules,
            )
        else:
            config = peft.IA3Config(
                target_modules=target_modules, feedforward_modules=feedforward_modules
            )
        transformer.requires_grad_(False)
        try:
            peft.inject_adapter_in_model(config, transformer)
        except ValueError as error:
            said = re.split(r"\. |\n", str(error))[0]
            raise ConfigurationError(
                f"Expected layers of the transformer as target_modules of the embedder 'lora', got "
                f"{target_modules}: {said}."
            ) from None
