"""A tiny BERT on disk, made from a config, without a download."""

import torch
from transformers import BertConfig, BertModel, BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write_transformer(folder, words, hidden=16, layers=2, spread=0.02):
    """Write a BERT whose pieces are the words and whose weights have this standard deviation;
    AllenNLP finds out about a tokenizer by the pieces "a" and "b"."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = list(dict.fromkeys([*SPECIAL, "a", "b", *words]))
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    state = torch.get_rng_state()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=20,
        initializer_range=spread,
    )
    BertModel(config).save_pretrained(folder)
    torch.set_rng_state(state)
    return str(folder)
