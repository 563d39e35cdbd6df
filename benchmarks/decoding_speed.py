"""How fast inference networks tag beside the exact decoding of a linear chain.

    OMP_NUM_THREADS=1 python -m benchmarks.decoding_speed [--sentences 32 --tokens 50 --tags 50]

Speed depends on sizes alone, so that sentences and weights are random. The models are those of the
shipped configs. Each inference tags the same batch on one core, in turns with the others; the times
are the median of the repeats. `decoding` is what comes after the encoding of the sentences.
"""

import argparse
import random
import statistics
import time
from typing import Any, Dict, Iterator, List, Optional, Tuple

import torch
from allennlp.common import Params
from allennlp.data import Batch, DatasetReader, Instance, Vocabulary
from allennlp.models import Model
from allennlp.modules import ConditionalRandomField
from rich.console import Console
from rich.table import Table

from benchmarks.common import config_of, descent, inference_of, on_one_core
from structured_energy.compatibility import say_errors_in_one_sentence
from structured_energy.encoded import Encoded
from structured_energy.networks import frozen
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import Sampler
from structured_energy.score_networks import chain_of


class LibraryViterbi(Sampler):
    """Viterbi's algorithm as AllenNLP has it, for the chain of a model."""

    def __init__(self, model: Model) -> None:
        super().__init__(model.output_space)
        self.score_network = model.score_network
        self.crf = ConditionalRandomField(len(model.score_network.structured_scores[0].start))

    def propose(
        self, x: Any, truth: Optional[torch.Tensor], mask: Optional[torch.Tensor] = None
    ) -> SamplerOutput:
        with frozen(self.score_network):
            chain = chain_of(self.score_network, x, mask)
        self.crf.transitions.data = chain.transitions.detach()
        self.crf.start_transitions.data = chain.start.detach()
        self.crf.end_transitions.data = chain.end.detach()
        paths = self.crf.viterbi_tags(chain.potentials.detach(), chain.mask)
        tags = torch.tensor([path for path, _ in paths])
        return SamplerOutput(self.output_space.encode(tags, chain.potentials.dtype))


def inferences(vocab: Vocabulary) -> Iterator[Tuple[str, Model, Sampler]]:
    """The name of each inference, the model whose networks it has, and itself."""

    def model_of(method: str) -> Model:
        made = Model.from_params(Params(config_of("twpos", method)["model"]), vocab=vocab)
        # Scores as far from one another as those of a trained model.
        for name, parameter in made.named_parameters():
            if "structured_scores" in name:
                torch.nn.init.normal_(parameter)
        return made.eval()

    for name, method in (
        ("local tagger (cross_entropy)", "cross_entropy"),
        ("inference_network_high_order", "inference_network_high_order"),
    ):
        model = model_of(method)
        yield name, model, model.inference
    crf = model_of("crf")
    yield "crf, Viterbi", crf, inference_of({"type": "exact"}, crf)
    yield "crf, AllenNLP's Viterbi", crf, LibraryViterbi(crf)
    for steps in (5, 20):
        yield f"crf, gradient, {steps} steps", crf, inference_of(descent(steps), crf)


def sentences(count: int, tokens: int, tags: int) -> List[Instance]:
    """Random words of 1 to 10 letters with random tags, of which each one is used."""
    reader = DatasetReader.from_params(Params(config_of("twpos", "crf")["dataset_reader"]))
    letters = "abcdefghijklmnopqrstuvwxyz"
    generator = random.Random(0)
    words = ["".join(generator.choices(letters, k=generator.randint(1, 10))) for _ in range(5000)]
    places = [f"tag{i % tags}" for i in range(count * tokens)]
    made = []
    for i in range(count):
        chosen = places[i * tokens : (i + 1) * tokens]
        made.append(reader.text_to_instance(generator.choices(words, k=tokens), chosen))
        reader.apply_token_indexers(made[-1])
    return made


def measure(model: Model, sampler: Sampler, batch: Dict[str, Any]) -> Tuple[float, float]:
    """The seconds of one inference, and of another one that has the encoding of the first."""
    times = [time.perf_counter()]
    with frozen(model):
        x = Encoded(batch["x"], batch["mask"])
        for _ in range(2):
            sampler.sample(x, None, batch["mask"])
            times.append(time.perf_counter())
    return times[1] - times[0], times[2] - times[1]


def figures(
    vocab: Vocabulary, batch: Dict[str, Any], repeats: int
) -> Dict[str, Tuple[float, float]]:
    """The median seconds of each inference, and of its decoding."""
    rows = list(inferences(vocab))
    seconds: Dict[str, List[Tuple[float, float]]] = {name: [] for name, _, _ in rows}
    for repeat in range(repeats + 1):
        for name, model, sampler in rows:
            measured = measure(model, sampler, batch)
            if repeat:  # the first one warms up
                seconds[name].append(measured)
    return {
        name: tuple(map(statistics.median, zip(*each, strict=True)))
        for name, each in seconds.items()
    }


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=50)
    parser.add_argument("--tags", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    on_one_core()
    torch.manual_seed(0)
    size = (arguments.sentences, arguments.tokens, arguments.tags)
    instances = sentences(*size)
    vocab = Vocabulary.from_instances(instances)
    batch = Batch(instances)
    batch.index_instances(vocab)
    with torch.no_grad():
        rows = figures(vocab, batch.as_tensor_dict(), arguments.repeats)
    table = Table(
        "inference",
        "ms",
        "tokens/s",
        "decoding, ms",
        title="{} sentences of {} tokens, {} tags".format(*size),
    )
    for name, (whole, decoding) in rows.items():
        speed = size[0] * size[1] / whole
        table.add_row(name, f"{1000 * whole:.1f}", f"{speed:,.0f}", f"{1000 * decoding:.2f}")
    Console().print(table)


if __name__ == "__main__":
    say_errors_in_one_sentence()
    main()
