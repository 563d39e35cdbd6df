"""The predictor of dependency trees in CoNLL-U."""

from typing import Any, List, Sequence, Tuple

from allennlp.common.util import JsonDict
from allennlp.data import Instance
from allennlp.predictors import Predictor

from ..data.conll import CONLLU_COLUMNS, DEPS, HEAD, RELATION
from ..data.tag_fields import SentenceField
from .structured_energy import StructuredEnergyPredictor


@Predictor.register("conllu")
class ConlluPredictor(StructuredEnergyPredictor):
    """Write the dependency tree of each sentence in CoNLL-U, with a blank line after it.

    A line of the input is a sentence as plain text, for the reader's tokenizer, or one of JSON:
    `{"tokens": ["I", …]}` or `{"sentence": "I …"}`. With `--use-dataset-reader` the input is a
    CoNLL-U file, whose trees are not read; the output repeats its comments, multi-word tokens,
    empty nodes and other columns. Columns that are unknown are '_', and so are enhanced
    dependencies (DEPS), which belong to the tree of the input.
    """

    def load_line(self, line: str) -> JsonDict:
        """Return the dictionary of a line."""
        if line.lstrip().startswith("{"):
            return super().load_line(line)
        return {"sentence": line.strip()}

    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        """Return the trees, with the rows and the other lines of a sentence of CoNLL-U."""
        predictions = super().predict_batch_instance(instances)
        for instance, prediction in zip(instances, predictions, strict=True):
            x = instance.fields["x"]
            if isinstance(x, SentenceField):
                prediction.update(rows=x.sentence.rows, others=x.sentence.others)
        return predictions

    def dump_line(self, outputs: JsonDict) -> str:
        """Return the tree of a prediction as lines of CoNLL-U."""
        tree = outputs["labels"]
        heads: List[int] = tree["heads"]
        relations: List[str] = tree.get("relations", ["_"] * len(heads))
        rows: List[List[str]] = outputs.get("rows") or [
            [str(number), form, *"________"] for number, form in enumerate(outputs["tokens"], 1)
        ]
        lines: List[Tuple[int, str]] = []
        for place, (row, head, relation) in enumerate(zip(rows, heads, relations, strict=True)):
            columns = row[:CONLLU_COLUMNS]
            columns[HEAD], columns[RELATION], columns[DEPS] = str(head), relation, "_"
            lines.append((place, "\t".join(columns)))
        others: Sequence[Any] = outputs.get("others", [])
        # Stable: other lines stand before the row at their place.
        ordered = sorted([*others, *lines], key=lambda line: line[0])
        return "".join(f"{line}\n" for _, line in ordered) + "\n"
