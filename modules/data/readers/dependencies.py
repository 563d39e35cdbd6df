"""A reader of dependency trees."""

import copy
from typing import Any, Callable, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence

import numpy as np
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer, Tokenizer, Vocabulary
from allennlp.data.tokenizers import Token

from ...dependency_trees import is_tree
from ..conll import FORM, HEAD, RELATION, Sentence, read_conllu
from ..tag_fields import ArcField, SentenceField
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
        self._is_for_prediction = False

    def for_prediction(self, vocab: Vocabulary) -> "DependencyConlluReader":
        """Return a reader that does not read trees and whose texts have the sentences of their
        files, for the output."""
        reader = copy.copy(self)
        reader._is_for_prediction = True
        return reader

    def instances(self, path: str) -> Iterator[Instance]:
        first: Optional[bool] = None
        for sentence in sentences_of(path, read_conllu):
            is_parsed = sentence.has_tree and not self._is_for_prediction
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
        self, heads: Sequence[str], relations: List[str], where: Callable[[int], str]
    ) -> Arcs:
        """Return the tree of a sentence, checked; `where` names the place of a word in messages."""
        for row, head in enumerate(heads):
            if not head.isascii() or not head.isdigit() or int(head) > len(heads):
                raise ValueError(
                    f"{where(row)}: expected a head from 0, the root, to {len(heads)}, the last "
                    f"word of the sentence, got '{head}'."
                )
        numbers = [int(head) for head in heads]
        roots = [row for row, head in enumerate(numbers) if head == 0]
        if self.single_root and len(roots) > 1:
            raise ValueError(
                f"{where(roots[1])}: expected one word with the head 0, got {len(roots)}; correct "
                "the tree, or set single_root: false in the reader and in the output space."
            )
        if not bool(is_tree(torch.tensor(numbers), single_root=False)):
            row = _in_cycle(numbers)
            raise ValueError(
                f"{where(row)}: expected heads that lead to the root, got a cycle through the word "
                f"{row + 1}."
            )
        if self.relations != "none" and "_" in relations:
            raise ValueError(
                f"{where(relations.index('_'))}: expected a relation, got '_'; correct it, or set "
                "relations: 'none' of the reader to parse heads only."
            )
        return Arcs(numbers, relations)

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        return self.text_to_instance(self.tokens_of(line))

    def value_to_instance(
        self, value: Any, vocab: Vocabulary, output: Optional[Any] = None
    ) -> Instance:
        """Return the instance of a sentence, a text or a list of tokens, and of its tree, with
        `heads` and, if relations count, `relations`.

        # Raises

        `ValueError` for a value that is no sentence, and an output that is no tree over its tokens.
        """
        tokens = self.tokens_of(self.line_of(value))
        return self.text_to_instance(tokens, None if output is None else self._tree(output, tokens))

    def _tree(self, output: Any, tokens: Sequence[str]) -> Arcs:
        """Return the tree of a sentence in memory, checked."""
        columns: List[Any] = [None, None]
        if isinstance(output, dict):
            columns = [output.get("heads"), output.get("relations", ["_"] * len(tokens))]
        lists = (list, tuple, np.ndarray)
        sizes = [len(each) if isinstance(each, lists) else None for each in columns]
        if sizes != [len(tokens)] * 2:
            raise ValueError(
                "Expected a tree as a dictionary with 'heads' and, if relations count, "
                f"'relations', lists with one of each for {len(tokens)} tokens, got "
                f"{str(output)[:80]}."
            )
        heads, relations = columns
        sentence = " ".join(tokens)[:60]
        return self._arcs(
            [str(head) for head in heads],
            [str(relation) for relation in relations],
            lambda row: f"Word {row + 1} of '{sentence}'",
        )

    def text_to_instance(
        self,
        tokens: Sequence[str],
        arcs: Optional[Arcs] = None,
        sentence: Optional[Sentence] = None,
    ) -> Instance:
        """Return the instance of a sentence of tokens; `sentence` names its lines in messages
        and has its other columns."""
        instance = self._make([Token(token) for token in tokens], None)
        if self._is_for_prediction and sentence is not None:
            instance.fields["x"] = SentenceField(instance.fields["x"].tokens, sentence)
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
    """Return a token, from 0, of a cycle."""
    for token in range(len(heads)):
        above = token + 1
        for _ in heads:
            above = heads[above - 1] if above else 0
        if above:
            return above - 1  # after so many steps it is on the cycle
    raise AssertionError("every token reaches the root")
