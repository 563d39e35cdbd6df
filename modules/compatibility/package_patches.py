"""The patches for current versions of torch, transformers and wandb."""

from typing import List

from allennlp.common import cached_transformers, util
from allennlp.modules.token_embedders import PretrainedTransformerEmbedder
from allennlp.nn.parallel import ddp_accelerator
from allennlp.training import gradient_descent_trainer
from allennlp.training.callbacks import WandBCallback

from . import tokenizers, training, transformers_embedder
from .patch import Patch

PACKAGE_PATCHES: List[Patch] = [
    Patch(
        gradient_descent_trainer,
        "amp",
        training.amp,
        "torch",
        "`torch.cuda.amp` warns in each batch that it is deprecated; `torch.amp` does the same.",
    ),
    Patch(ddp_accelerator, "amp", training.amp, "torch", "As above, for distributed training."),
    Patch(
        WandBCallback,
        "__init__",
        training.init_wandb,
        "wandb",
        "Current wandb has no argument `anonymous` and no `wandb.util.generate_id`; the callback "
        "does without them.",
    ),
    Patch(
        cached_transformers,
        "get_tokenizer",
        tokenizers.get_tokenizer,
        "transformers",
        "Loading a tokenizer with `add_special_tokens` raises since transformers 4.48, and "
        "transformers 5 has neither `encode_plus` nor `build_inputs_with_special_tokens`. A name "
        "may be `package://package/folder`, a folder of an installed package.",
    ),
    Patch(
        cached_transformers,
        "get",
        tokenizers.get,
        "transformers",
        "A name was one of the hub or a folder; now it may be `package://package/folder` too.",
    ),
    Patch(
        util,
        "int_to_device",
        training.int_to_device,
        "torch",
        "`torch.device(0)` raises on a machine without a GPU, so that AllenNLP's sentence about it "
        "was not reached.",
    ),
    Patch(
        util,
        "spacy_download",
        tokenizers.spacy_download,
        "message",
        "A model of spaCy that cannot be downloaded ended the process; now one sentence names it.",
    ),
    Patch(
        PretrainedTransformerEmbedder,
        "__init__",
        transformers_embedder.init_embedder,
        "transformers",
        "`gradient_checkpointing` set a key of the config that transformers no longer reads; now "
        "it is switched on.",
    ),
]
