"""A reader of dependency trees."""

from typing import Any, Callable, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer, Tokenizer, Vocabulary
from allennlp.data.tokenizers import Token

from ...dependency_trees import is_tree
from ..conll import FORM, HEAD, RELATION, Sentence, read_conllu
from ..tag_fields import ArcField
from .tagging import TaggingReader, sentences_of

_RELATIONS = ("universal", "full", "none")


class Arcs(NamedTuple):
    """The heads of the tokens of a sentence, 0 for the root and 1 for the first token, and their
    relations."""

    heads: List[int]
    relations: List[str]


@DatasetReader.register("dependency-conllu")
class DependencyConlluReader(TaggingReader):
    """Read dependency trees from CoNLL-U files, columns 7 (HEAD) and 8 (DEPREL). The tokens are the
    syntactic words; lines of multi-word tokens and of empty nodes are left out.

    Sentences whose heads are all '_' have no labels, for prediction.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
    relations : `"universal"`, `"full"` or `"none"`
        Relations without their subtypes (`nmod:poss` is `nmod`), with them, or heads only.
    single_root : `bool`
        Whether a tree with several roots is an error, as in Universal Dependencies.
    tokenizer : `Tokenizer`, optional

    # Raises

    `ConfigurationError` for other relations. `ValueError` for a head that is no token of its
    sentence, for several roots, for a cycle, for a relation '_', and for sentences with trees among
    others without, with file and line.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        relations: Literal["universal", "full", "none"] = "universal",
        single_root: bool = True,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, tokenizer, max_instances)
        if relations not in _RELATIONS:
            raise ConfigurationError(
                f"Expected relations among {list(_RELATIONS)} in the reader 'dependency-conllu', "
                f"got '{relations}'."
            )
        self.relations = relations
        self.single_root = single_root

    def instances(self, path: str) -> Iterator[Instance]:
        first: Optional[bool] = None
        for sentence in sentences_of(path, read_conllu):
            is_parsed = any(head != "_" for head in sentence.column(HEAD))
            first = is_parsed if first is None else first
            if is_parsed != first:
                raise ValueError(
                    f"{sentence.where(0)}: expected a tree for each sentence or for none, got one "
                    f"{'with' if is_parsed else 'without'} a tree after others; remove it."
                )
            columns = sentence.column(HEAD), sentence.column(RELATION)
            arcs = self._arcs(*columns, sentence.where) if is_parsed else None
            yield self.text_to_instance(sentence.column(FORM), arcs, sentence)

    def _arcs(
        self, column: Sequence[str], relations: List[str], where: Callable[[int], str]
    ) -> Arcs:
        """Return the tree of a sentence, checked; `where` is the place of a word in messages."""
        heads = []
        for row, head in enumerate(column):
            if not head.isascii() or not head.isdigit() or int(head) > len(column):
                raise ValueError(
                    f"{where(row)}: expected a head from 0, the root, to {len(column)}, the last "
                    f"word of the sentence, got '{head}'."
                )
            heads.append(int(head))
        roots = [row for row, head in enumerate(heads) if head == 0]
        if self.single_root and len(roots) > 1:
            raise ValueError(
                f"{where(roots[1])}: expected one word with the head 0, got "
                f"{len(roots)}; correct the file, or set single_root: false in the reader and in "
                "the output space."
            )
        if not bool(is_tree(torch.tensor(heads), single_root=False)):
            row = _in_cycle(heads)
            raise ValueError(
                f"{where(row)}: expected heads that lead to the root, got a cycle through "
                f"the word {row + 1}."
            )
        if self.relations != "none" and "_" in relations:
            raise ValueError(
                f"{where(relations.index('_'))}: expected a relation, got '_'; correct it, or set "
                "relations: 'none' of the reader to parse heads only."
            )
        return Arcs(heads, relations)

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        return self.text_to_instance(self.tokens_of(line))

    def value_to_instance(
        self, value: Any, vocab: Vocabulary, output: Optional[Any] = None
    ) -> Instance:
        """Return the instance of a sentence, a text or a list of tokens, and of its tree, with
        `heads` and, if relations count, `relations`."""
        tokens = self.tokens_of(self.line_of(value))
        arcs = None
        if output is not None:
            heads = output.get("heads") if isinstance(output, dict) else None
            relations = output.get("relations", ["_"] * len(tokens)) if heads is not None else []
            if not len(tokens) == len(heads or ()) == len(relations):
                raise ValueError(
                    "Expected a dictionary with a head for each of the "
                    f"{len(tokens)} tokens, `heads`, and their `relations` as the output of a "
                    f"sentence, got {str(output)[:60]}."
                )
            arcs = self._arcs(
                [str(head) for head in heads or ()],
                [str(relation) for relation in relations],
                lambda row: f"The output, word {row + 1}",
            )
        return self.text_to_instance(tokens, arcs)

    def text_to_instance(
        self,
        tokens: Sequence[str],
        arcs: Optional[Arcs] = None,
        sentence: Optional[Sentence] = None,
    ) -> Instance:
        """Return the instance of a sentence of tokens; `sentence` names its lines in messages."""
        instance = self._make([Token(token) for token in tokens], None)
        if arcs is not None:
            relations = [self._relation(name) for name in arcs.relations]
            text: Any = instance.fields["x"]
            instance.add_field("labels", ArcField(arcs.heads, relations, text, sentence))
        return instance

    def _relation(self, name: str) -> str:
        if self.relations == "none":
            return "_"
        return name.partition(":")[0] if self.relations == "universal" else name


def _in_cycle(heads: Sequence[int]) -> int:
    """Return the first token, from 0, that does not reach the root."""
    for token in range(len(heads)):
        above = token + 1
        for _ in heads:
            above = heads[above - 1] if above else 0
        if above:
            return token
    raise AssertionError("every token reaches the root")
