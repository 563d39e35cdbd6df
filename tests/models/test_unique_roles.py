"""Predictions of fields with unique roles, against the best of all sequences that repeat none."""

import itertools

import pytest
import torch
from allennlp.commands.train import TrainModel
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from structured_energy.configs.methods import config_of
from structured_energy.data import names

UNIQUE = ["ARG0", "ARG1"]


def write_roles(folder):
    """Write sentences of three and of four words with the roles V, ARG0, ARG1 and none, '_'."""
    sentences = [["ARG0", "V", "ARG1"], ["_", "ARG1", "V", "ARG0"], ["V", "_", "ARG1", "ARG1"]]
    lines = []
    for roles in sentences:
        for place, role in enumerate(roles):
            word, sense = f"word{place}", "do.01" if role == "V" else "_"
            columns = [str(place + 1), word, word, *"_" * 3, "0", "root", "_", "_", sense, role]
            lines.append("\t".join(columns))
        lines.append("")
    path = folder / "roles.conllu"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def built(method, folder, **table):
    path = write_roles(folder)
    table = {"train": path, "validation": path, "hidden": 6, "batch_size": 3, **table}
    config = config_of("tagging", method, table)
    run = TrainModel.from_params(
        Params(config), serialization_dir=str(folder), local_rank=0, batch_weight_key=""
    )
    return run.model.eval(), next(iter(run.trainer.data_loader))


@pytest.mark.parametrize("method", ["crf", "crf_semi_markov"])
def test_the_best_sequence_without_a_repeated_role_is_predicted(method, tmp_path):
    bio = method == "crf_semi_markov"
    model, batch = built(
        method, tmp_path, reader={"type": "srl-conllu", "bio": bio}, unique=UNIQUE, metrics=[]
    )
    tags = names(model.vocab, "labels")
    changed = 0
    for seed in range(3):
        torch.manual_seed(seed)
        with torch.no_grad():
            for parameter in model.score_network.parameters():
                parameter.normal_()
        output = model.make_output_human_readable(model(batch["x"], mask=batch["mask"]))
        for row, real in enumerate(batch["mask"]):
            length = int(real.sum())
            every = torch.zeros(len(tags) ** length, len(real), dtype=torch.long)
            every[:, :length] = torch.tensor(
                list(itertools.product(range(len(tags)), repeat=length))
            )
            roles = [[tags[i].removeprefix("B-") for i in each[:length]] for each in every.tolist()]
            repeats = torch.tensor([any(each.count(r) > 1 for r in UNIQUE) for each in roles])
            y = torch.zeros(len(every), 3, len(real), len(tags))
            y[:, row] = model.output_space.encode(every)[:, 0]
            scores = model.score_network(batch["x"], y.transpose(0, 1), batch["mask"])[row]
            best = scores.masked_fill(repeats, -torch.inf).argmax()
            assert output["labels"][row] == [tags[i] for i in every[best, :length]]
            changed += int(repeats[scores.argmax()])
    assert changed > 2


@pytest.mark.parametrize(
    ("method", "table", "message"),
    [
        ("cross_entropy", {"unique": ["ARG0"]}, "without exact inference, got ARG0; choose 'crf'"),
        ("crf", {"unique": ["ARG7"]}, "got 'ARG7', which no tag begins"),
        ("crf", {"unique": ["B-ARG0"]}, "got 'B-ARG0', which no tag begins"),
    ],
)
def test_unique_labels_that_cannot_be_had_are_refused(method, table, message, tmp_path):
    with pytest.raises(ConfigurationError, match=message):
        built(method, tmp_path, reader={"type": "srl-conllu"}, **table)
