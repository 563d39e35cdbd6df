"""A reader of semantic roles."""

from typing import Any, Dict, Iterator, Optional, Sequence

from allennlp.data import DatasetReader, Instance, TokenIndexer, Tokenizer, Vocabulary
from allennlp.data.tokenizers import Token

from ..conll import CONLLU_COLUMNS, FORM, Sentence, read_conllu
from .tagging import TaggingReader, sentences_of


@DatasetReader.register("srl-conllu")
class SemanticRoleReader(TaggingReader):
    """Read semantic roles from CoNLL-U files with the sense of a predicate in the column after the
    last standard one, and a column of roles for each predicate after it (Universal Propositions).

    One instance for each predicate: its tokens, with `type_id` 1 at the predicate and 0 elsewhere,
    which an indexer `{type: 'single_id', namespace: null, feature_name: 'type_id'}` reads; and the
    role of each token, '_' where it has none.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
    bio : `bool`
        Whether to write roles as spans of one token, `B-ARG0` and `O`, instead of `ARG0` and '_'.
    tokenizer : `Tokenizer`, optional

    # Raises

    `ValueError` for bad data, with file and line, and for files without any predicate.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        bio: bool = False,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, tokenizer, max_instances)
        self.bio = bio

    def instances(self, path: str) -> Iterator[Instance]:
        has_predicates = False
        for sentence in sentences_of(path, read_conllu):
            width = len(sentence.rows[0])
            if width == CONLLU_COLUMNS:
                continue  # a sentence without a predicate
            predicates = [i for i, sense in enumerate(sentence.column(10)) if sense != "_"]
            if len(predicates) != width - 11:
                raise ValueError(
                    f"{sentence.where(0)}: expected a column of roles for each of "
                    f"{len(predicates)} predicates after column 11, got {width - 11} in this "
                    "sentence."
                )
            has_predicates = has_predicates or bool(predicates)
            for column, predicate in enumerate(predicates, 11):
                roles = sentence.column(column)
                if self.bio:
                    roles = ["O" if role == "_" else f"B-{role}" for role in roles]
                yield self.text_to_instance(sentence.column(FORM), predicate, roles, sentence)
        if not has_predicates:
            raise ValueError(
                f"{path}: expected predicates, whose senses are in column {CONLLU_COLUMNS + 1}, "
                "got none in any sentence; check that the files have semantic roles."
            )

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        tokens = self.tokens_of(line)
        if type(line.get("predicate")) is not int:
            raise ValueError(
                "Expected a line with 'predicate', the place of the predicate among the tokens, "
                f"from 0, got {line.get('predicate')!r}."
            )
        return self.text_to_instance(tokens, line["predicate"])

    def text_to_instance(
        self,
        tokens: Sequence[str],
        predicate: int,
        roles: Optional[Sequence[str]] = None,
        sentence: Optional[Sentence] = None,
    ) -> Instance:
        """Return the instance of a sentence of tokens and the place of its predicate, from 0;
        `sentence` names its lines in messages.

        # Raises

        `ValueError` where the predicate is not in the sentence.
        """
        if not 0 <= predicate < len(tokens):
            raise ValueError(
                f"Expected the place of a predicate from 0 to {len(tokens) - 1}, got {predicate}."
            )
        made = [Token(token, type_id=int(i == predicate)) for i, token in enumerate(tokens)]
        return self._make(made, roles, sentence)
