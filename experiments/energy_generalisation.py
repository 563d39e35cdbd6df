"""Shows whether the energy of a run generalises, and what its decision rules give.

    python -m experiments.energy_generalisation RUN [RUN ...] [--test]

RUN is the folder of a finished run on sets of labels. For the training and the validation data it
prints the mean score of the truth and of draws of the task network, how often the truth beats the
prediction and all draws, and its mean rank among them: an energy that has learned the training data
by heart puts the truth first there, and last on validation data. Then it prints example F1 and
subset accuracy by decoder, each fitted to the validation data; with `--test` also on the test data.
Several runs are also averaged: their probabilities, and their scores of the same draws.
"""

import argparse
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import torch
from allennlp.common import Params
from allennlp.data import DataLoader
from rich.console import Console
from rich.table import Table

import structured_energy
from benchmarks.common import on_one_core
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.decoders import Decoder, Observation, Prediction
from structured_energy.metrics import ExampleF1, SubsetAccuracy
from structured_energy.models import StructuredEnergyModel
from structured_energy.samplers import Sampler

OF_PROBABILITIES = {
    "0.5": {"type": "threshold", "threshold": 0.5},
    "threshold": {"type": "threshold"},
    "threshold, never empty": {"type": "at-least-one", "decoder": "threshold"},
    "relative": {"type": "relative"},
    "relative and absolute": {"type": "relative-and-absolute"},
    "expected F1": {"type": "expected-f1"},
    "expected F1, never empty": {"type": "at-least-one", "decoder": "expected-f1"},
}
OF_DRAWS = {
    "expected F1 of draws, unweighted": {
        "type": "expected-f1-of-draws",
        "score_weight": 0,
        "proposal_weight": 0,
    },
    "expected F1 of draws": {"type": "expected-f1-of-draws"},
    "expected F1 of draws, never empty": {
        "type": "at-least-one",
        "decoder": {"type": "expected-f1-of-draws"},
    },
    "minimum Bayes risk": {"type": "minimum-bayes-risk"},
    "rerank": {"type": "rerank"},
}


class Part(NamedTuple):
    """Probabilities, draws and their scores on a part of the data.

    The first of the draws is the truth, the second the prediction at 0.5.
    """

    prediction: Prediction
    labels: torch.Tensor


def load_part(model: StructuredEnergyModel, config: Dict[str, Any], reader: Any, key: str) -> Any:
    """Return x and the labels of a part of the data of a run."""
    loader = DataLoader.from_params(
        Params({"type": "tensor", "batch_size": 10**6}), reader=reader, data_path=config[key]
    )
    loader.index_with(model.vocab)
    return next(iter(loader))


def evaluate(run: Any, key: str, draws: Dict[str, Any], draws_of: Optional[Part] = None) -> Part:
    """Return the predictions of a run; the draws are those of `draws_of` where that is given."""
    model = run.model
    batch = load_part(model, run.config, run.reader, key)
    x, labels = batch["x"], batch["labels"]
    collaborators = {"output_space": model.output_space, "task_network": model.task_network}
    sampler = Sampler.from_params(Params(dict(draws)), **collaborators)
    parts = []
    with torch.no_grad():
        for rows in torch.arange(len(x)).split(256):
            probabilities = model(x[rows])["probabilities"]
            truth = model.output_space.encode(labels[rows])
            if draws_of is None:
                sample = sampler.sample(x[rows], None)
                own = model.output_space.nearest_corner(probabilities.unsqueeze(1))
                y, log_prob = torch.cat([truth, own, sample.y], 1), sample.log_prob
            else:
                assert draws_of.prediction.draws is not None
                y, log_prob = draws_of.prediction.draws[rows].float(), None
                if draws_of.prediction.log_prob is not None:
                    log_prob = draws_of.prediction.log_prob[rows]
            scores = model.score_network(x[rows], y) if model.score_network else None
            parts.append(Prediction(probabilities, None, y.bool(), scores, log_prob))
    return Part(_cat(parts), labels)


def _cat(parts: List[Prediction]) -> Prediction:
    columns = zip(*parts, strict=True)
    return Prediction(*(None if each[0] is None else torch.cat(each) for each in columns))


def mean(parts: List[Part]) -> Part:
    """Return the mean probabilities and scores of several runs, on the same draws."""
    first = parts[0]
    predictions = [part.prediction for part in parts]
    averaged = first.prediction._replace(
        probabilities=torch.stack([p.probabilities for p in predictions]).mean(0)
    )
    if first.prediction.scores is not None:
        averaged = averaged._replace(
            scores=torch.stack([p.scores for p in predictions if p.scores is not None]).mean(0)
        )
    return Part(averaged, first.labels)


def ranking(part: Part) -> Dict[str, float]:
    """Return how the scores rank the truth."""
    assert part.prediction.scores is not None and part.prediction.draws is not None
    scores, y = part.prediction.scores, part.prediction.draws
    truth, draws = scores[:, :1], scores[:, 2:]
    other = (y[:, 2:] != y[:, :1]).any(2)  # a draw that is the truth is no rival
    above = (draws >= truth) & other
    return {
        "score of truth": float(truth.mean()),
        "score of draws": float(draws.mean()),
        "truth beats prediction": float(
            ((truth[:, 0] > scores[:, 1]) | (y[:, 0] == y[:, 1]).all(1)).float().mean()
        ),
        "truth beats all draws": float((~above.any(1)).float().mean()),
        "rank of truth": float(1 + above.sum(1).float().mean()),
    }


def decoded(run: Any, config: Dict[str, Any], validation: Part, tested: Part) -> Dict[str, float]:
    """Return the metrics of a decoder that is fitted to `validation`, on `tested`."""
    model = run.model
    decoder = Decoder.from_params(
        Params(dict(config)),
        output_space=model.output_space,
        task_network=model.task_network,
        score_network=model.score_network,
        oracle_value=model.oracle_value,
    )
    predictions = [_without_truth(part.prediction) for part in (validation, tested)]
    decoder.fit([Observation(predictions[0], validation.labels)])
    output = decoder.decode(predictions[1])
    values: Dict[str, float] = {}
    for metric in (ExampleF1(), SubsetAccuracy()):
        sums = metric.batch_sums(predictions[1].probabilities, output, tested.labels, None)
        values[metric.name] = metric.number(sums)
    return {**values, **decoder.fitted_values()}


def _without_truth(prediction: Prediction) -> Prediction:
    assert prediction.draws is not None
    scores = None if prediction.scores is None else prediction.scores[:, 2:]
    return prediction._replace(draws=prediction.draws[:, 2:], scores=scores)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--temperature", type=float, default=1.5)
    parser.add_argument("--subsets", action="store_true", help="likely subsets in place of draws")
    parser.add_argument("--test", action="store_true", help="print the test metrics")
    arguments = parser.parse_args()
    on_one_core()
    console = Console(soft_wrap=True)
    draws: Dict[str, Any] = {
        "type": "network-draws",
        "num_samples": arguments.draws,
        "temperature": arguments.temperature,
        "seed": 0,
    }
    if arguments.subsets:
        draws = {"type": "likely-subsets", "smallest": 1}
    keys = ["train_data_path", "validation_data_path"]
    keys += ["test_data_path"] if arguments.test else []
    parts: Dict[str, List[Part]] = {key: [] for key in keys}
    runs = [structured_energy.load(path) for path in arguments.runs]
    for run in runs:
        for key in keys:
            first = parts[key][0] if parts[key] else None
            parts[key].append(evaluate(run, key, draws, first))
    names = [str(path) for path in arguments.runs]
    if len(runs) > 1:
        names.append("mean")
        for key in keys:
            parts[key].append(mean(parts[key]))
    for number, name in enumerate(names):
        run = runs[min(number, len(runs) - 1)]
        of_run = {key: each[number] for key, each in parts.items()}
        if of_run[keys[1]].prediction.scores is not None:
            table = Table("", *keys[:2], title=name)
            columns = [ranking(of_run[key]) for key in keys[:2]]
            for row in columns[0]:
                table.add_row(row, *(f"{column[row]:.3f}" for column in columns))
            console.print(table)
        table = Table("decoder", *keys[1:], "fitted", title=name)
        of_draws = OF_DRAWS if of_run[keys[1]].prediction.scores is not None else {}
        for rule, config in {**OF_PROBABILITIES, **of_draws}.items():
            if of_run[keys[1]].prediction.log_prob is None and rule in OF_DRAWS:
                name_of = "prior_weight" if rule == "rerank" else "proposal_weight"
                own = config.get("decoder", config)
                own = {**own, name_of: 0}
                config = {**config, "decoder": own} if "decoder" in config else own
            cells = [decoded(run, config, of_run[keys[1]], of_run[key]) for key in keys[1:]]
            fitted = {key: round(value, 3) for key, value in list(cells[0].items())[2:]}
            shown = [
                f"{100 * list(c.values())[0]:.2f}, {100 * list(c.values())[1]:.2f}" for c in cells
            ]
            table.add_row(rule, *shown, str(fitted))
        console.print(table)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
