"""Readers of semantic roles."""

import re
from typing import Any, Dict, Iterator, List, Optional, Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer, Tokenizer, Vocabulary
from allennlp.data.tokenizers import Token

from ...span_encodings import ENCODINGS, Encoding
from ..conll import CONLLU_COLUMNS, FORM, Sentence, read_columns, read_conllu
from ..tag_encodings import convert
from .tagging import TaggingReader, sentences_of

# Of CoNLL-2012: the column of words, and the first one of roles; the last one is of coreference.
_WORD, _FIRST_ROLES = 3, 11
_CELL = re.compile(r"(?:\((?P<label>[^()*]+))?\*(?P<end>\))?")


class RoleReader(TaggingReader):
    """The base of readers whose instances are sentences with a predicate, whose token has the
    `type_id` 1 and the others 0, and the role of each token."""

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


@DatasetReader.register("srl-conllu")
class SemanticRoleReader(RoleReader):
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


@DatasetReader.register("srl-conll2012")
class Conll2012RoleReader(RoleReader):
    """Read semantic roles from the files `_conll` of CoNLL-2012 (Pradhan et al. 2012): the word in
    column 4, a column of bracketed roles such as `(ARG0*` and `*)` for each predicate from column
    12, and coreference in the last one.

    One instance for each predicate: its tokens, with `type_id` 1 at the predicate, the first token
    of its span `V`, and 0 elsewhere, which an indexer
    `{type: 'single_id', namespace: null, feature_name: 'type_id'}` reads; and the roles as spans of
    tags, `B-ARG0`, `I-ARG0` and `O`.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
    encoding : `"BIO"`, `"IOB1"`, `"BIOUL"`, `"IOBES"` or `"BIOES"`
        How the tags write the spans.
    tokenizer : `Tokenizer`, optional

    # Raises

    `ConfigurationError` for another encoding; `ValueError` for bad data, with file and line, and
    for files without any predicate.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        encoding: Encoding = "BIO",
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, tokenizer, max_instances)
        if encoding not in ENCODINGS:
            raise ConfigurationError(
                "Expected 'encoding' of the reader 'srl-conll2012' to be one of "
                f"{list(ENCODINGS)}, got '{encoding}'."
            )
        self.encoding = encoding

    def instances(self, path: str) -> Iterator[Instance]:
        has_predicates = False
        for sentence in sentences_of(path, lambda file: read_columns(file, comment="#")):
            width = len(sentence.rows[0])
            if width <= _FIRST_ROLES:
                raise ValueError(
                    f"{sentence.where(0)}: expected at least {_FIRST_ROLES + 1} columns, as in "
                    f"CoNLL-2012, got {width}."
                )
            for column in range(_FIRST_ROLES, width - 1):
                has_predicates = True
                tags = spans_of_brackets(sentence, column)
                if "B-V" not in tags:
                    raise ValueError(
                        f"{sentence.where(0)}: expected a predicate, '(V*', in column {column + 1}"
                        " of the sentence, got none."
                    )
                roles = convert(tags, "BIO", self.encoding, sentence)
                predicate = tags.index("B-V")
                yield self.text_to_instance(sentence.column(_WORD), predicate, roles, sentence)
        if not has_predicates:
            raise ValueError(
                f"{path}: expected predicates, each with a column of roles from column "
                f"{_FIRST_ROLES + 1}, got none in any sentence; check that the files have semantic "
                "roles."
            )


def spans_of_brackets(sentence: Sentence, column: int) -> List[str]:
    """Return a column of bracketed spans as tags in BIO.

    # Raises

    `ValueError` for a cell that is no such span, for a span inside another one, and for one that
    does not end, or that does not begin.
    """
    tags: List[str] = []
    label: Optional[str] = None  # of the span that is under way
    for row, cell in enumerate(sentence.column(column)):
        match = _CELL.fullmatch(cell)
        begins = match is not None and match["label"] is not None
        if (
            match is None
            or (begins and label is not None)
            or (match["end"] and not begins and label is None)
        ):
            inside = "" if label is None else f" inside of ({label}"
            raise ValueError(
                f"{sentence.where(row)}: expected a span in brackets, such as '(ARG0*', '*)' or "
                f"'(V*)', in column {column + 1}, got {cell!r}{inside}."
            )
        if begins:
            label = match["label"]
        tags.append("O" if label is None else f"{'B' if begins else 'I'}-{label}")
        if match["end"]:
            label = None
    if label is not None:
        raise ValueError(
            f"{sentence.where(len(tags) - 1)}: expected the end of the span ({label} in column "
            f"{column + 1} by the end of the sentence, got none."
        )
    return tags
