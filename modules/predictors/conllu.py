"""The predictor of dependency trees in CoNLL-U."""

from typing import Any, List

from allennlp.common.util import JsonDict
from allennlp.predictors import Predictor

from .structured_energy import StructuredEnergyPredictor


@Predictor.register("conllu")
class ConlluPredictor(StructuredEnergyPredictor):
    """Write the dependency tree of each sentence in CoNLL-U, with a blank line after it.

    A line of the input is a sentence as plain text, for the reader's tokenizer, or one of JSON:
    `{"tokens": ["I", …]}` or `{"sentence": "I …"}`. With `--use-dataset-reader` the input is a
    CoNLL-U file, whose trees are not read. Columns that the model does not predict are '_'.
    """

    def load_line(self, line: str) -> JsonDict:
        """Return the dictionary of a line."""
        if line.lstrip().startswith("{"):
            return super().load_line(line)
        return {"sentence": line.strip()}

    def dump_line(self, outputs: JsonDict) -> str:
        """Return the tree of a prediction as lines of CoNLL-U."""
        tree = outputs["labels"]
        heads: List[int] = tree["heads"]
        relations: List[str] = tree.get("relations", ["_"] * len(heads))
        rows = []
        for number, row in enumerate(zip(outputs["tokens"], heads, relations, strict=True), 1):
            form, head, relation = row
            columns: List[Any] = [number, form, *"____", head, relation, "_", "_"]
            rows.append("\t".join(map(str, columns)) + "\n")
        return "".join(rows) + "\n"
