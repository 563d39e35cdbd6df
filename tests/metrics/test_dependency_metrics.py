"""UAS, LAS and CLAS against the definitions of the shared task of CoNLL 2018, word by word."""

import random

import pytest
import torch
from allennlp.data import Vocabulary

from structured_energy.metrics import (
    ContentAttachmentScore,
    LabelledAttachmentScore,
    UnlabelledAttachmentScore,
)

RELATIONS = ["nsubj", "nsubj:pass", "punct", "det", "aux:pass", "root"]
CONTENT = {"nsubj", "root"}


def vocabulary():
    vocab = Vocabulary(non_padded_namespaces=["labels"])
    for name in RELATIONS:
        vocab.add_token_to_namespace(name, "labels")
    return vocab


def f1(correct, system, gold):
    """F1 of `conll18_ud_eval.py`, of words that are aligned."""
    return 2 * correct / (system + gold) if system + gold else 0.0


def by_hand(gold, system):
    """The scores of words (head, relation), as the script of the shared task defines them."""
    gold, system = ([(h, r.split(":")[0]) for h, r in words] for words in (gold, system))
    pairs = list(zip(gold, system, strict=True))
    n = len(pairs)
    words = [pair for pair in pairs if pair[0][1] != "punct"]
    content = [pair for pair in pairs if pair[0][1] in CONTENT]
    return {
        "uas": f1(sum(g[0] == s[0] for g, s in pairs), n, n),
        "las": f1(sum(g == s for g, s in pairs), n, n),
        "uas_without_punctuation": sum(g[0] == s[0] for g, s in words) / len(words),
        "las_without_punctuation": sum(g == s for g, s in words) / len(words),
        "clas": f1(
            sum(g == s for g, s in content),
            sum(relation in CONTENT for _, relation in system),
            len(content),
        ),
    }


def test_scores_are_those_of_the_shared_task():
    generator = random.Random(0)
    vocab = vocabulary()
    metrics = [
        metric(vocab)
        for metric in (UnlabelledAttachmentScore, LabelledAttachmentScore, ContentAttachmentScore)
    ]
    every_gold, every_system = [], []
    for lengths in ((7, 4), (5, 2)):
        gold, system = (
            [
                [(generator.randint(0, 2), generator.choice(RELATIONS)) for _ in range(n)]
                for n in lengths
            ]
            for _ in range(2)
        )
        labels = []
        for sentences in (gold, system):
            rows = torch.zeros(2, max(lengths), dtype=torch.long)
            for row, words in zip(rows, sentences, strict=True):
                for place, (head, relation) in enumerate(words):
                    row[place] = 1 + head * len(RELATIONS) + RELATIONS.index(relation)
            labels.append(rows)
        size = max(lengths)
        mask = torch.arange(size) < torch.tensor(lengths).unsqueeze(1)
        labels[1][~mask] = 3  # predictions in the padding do not count
        probabilities = torch.zeros(2, size, (size + 1) * len(RELATIONS))
        for metric in metrics:
            metric(probabilities, labels[1], labels[0], mask)
        every_gold += sum(gold, [])
        every_system += sum(system, [])
    found = {}
    for metric in metrics:
        value = metric.get_metric()
        values = value if isinstance(value, dict) else {"": value}
        found.update({metric.name + rest: number for rest, number in values.items()})
    assert found == pytest.approx(by_hand(every_gold, every_system))
