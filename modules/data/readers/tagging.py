"""Readers of sequences of tags."""

from typing import Any, Callable, Dict, Iterable, Iterator, List, Literal, Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer, Tokenizer, Vocabulary
from allennlp.data.fields import SequenceLabelField, TensorField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.data.tokenizers import LettersDigitsTokenizer, Token

from ...span_encodings import ENCODINGS
from ..conll import CONLLU_COLUMNS, Sentence, read_columns, read_conllu
from ..registry import resolve
from ..tag_encodings import convert
from .json_reader import JsonReader

Encoding = Literal["IOB1", "BIO", "BIOUL"]
_SEPARATORS = {"any": None, "tab": "\t", "space": " "}


class TaggingReader(JsonReader):
    """The base of readers whose instances have the fields `x` (a text), `labels` (a tag for each
    token) and `mask` (which tokens are no padding).

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
        By default each token's own number, as `tokens`.
    tokenizer : `Tokenizer`, optional
        For sentences that are given as text; by default words, numbers and punctuation apart.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(
            max_instances=max_instances,
            manual_distributed_sharding=True,
            manual_multiprocess_sharding=True,
        )
        self.token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}
        self.tokenizer = tokenizer or LettersDigitsTokenizer()

    def apply_token_indexers(self, instance: Instance) -> None:
        instance.fields["x"].token_indexers = self.token_indexers

    def tokens_of(self, line: Dict[str, Any]) -> List[str]:
        """The tokens of a line of JSON: its `tokens`, or those of its `sentence`."""
        if "tokens" in line:
            tokens = line["tokens"]
        elif isinstance(line.get("sentence"), str):
            tokens = [token.text for token in self.tokenizer.tokenize(line["sentence"])]
        else:
            tokens = None
        if (
            not isinstance(tokens, list)
            or not tokens
            or not all(isinstance(t, str) for t in tokens)
        ):
            raise ValueError(
                "Expected a line with 'tokens', a list of at least one string, or with 'sentence', "
                f"a text, got {str(line)[:80]}."
            )
        return tokens

    def _make(self, tokens: List[Token], tags: Optional[Sequence[str]]) -> Instance:
        text = TextField(tokens)
        fields: Dict[str, Any] = {
            "x": text,
            "mask": TensorField(torch.ones(len(tokens), dtype=torch.bool)),
        }
        if tags is not None:
            fields["labels"] = SequenceLabelField(list(tags), text)
        return Instance(fields)


def sentences_of(path: str, read: Callable[[str], Iterator[Sentence]]) -> Iterator[Sentence]:
    """The sentences of the files of a path, in their order, which `read` reads file by file."""
    data = resolve(path)
    sentences = [sentence for file in data.files() for sentence in read(file)]
    for row in data.select(len(sentences)):
        yield sentences[row]


@DatasetReader.register("tagging-conll")
class TaggingConllReader(TaggingReader):
    """Reads tags from files of columns, CoNLL-U among them: a token a line, sentences apart by
    blank lines.

    A path is a file, a pattern (`data/part-*.conll`), or of the registry
    (`data://twpos/train`).

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
    token_column, tag_column : `int`
        From 0; a negative number counts from the right. In CoNLL-U the token is column 1, the
        universal part of speech 3, the language's own 4.
    separator : `"any"`, `"tab"` or `"space"`
        Between columns.
    comment : `str`, optional
        Lines that begin so are left out.
    conllu : `bool`
        Whether the files are CoNLL-U: apart by tabs, comments after '#', and without the lines of
        multi-word tokens and empty nodes.
    encoding, convert_to : `"IOB1"`, `"BIO"` or `"BIOUL"`, optional
        How the files write spans, and how the model is to write them.
    tokenizer : `Tokenizer`, optional
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        token_column: int = 0,
        tag_column: int = -1,
        separator: Literal["any", "tab", "space"] = "any",
        comment: Optional[str] = None,
        conllu: bool = False,
        encoding: Optional[Encoding] = None,
        convert_to: Optional[Encoding] = None,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, tokenizer, max_instances)
        if separator not in _SEPARATORS or (conllu and (separator != "any" or comment)):
            raise ConfigurationError(
                f"Expected a separator among {list(_SEPARATORS)} in the reader 'tagging-conll', "
                f"and none, and no comment, where 'conllu' is true; got '{separator}' and "
                f"comment {comment!r}."
            )
        for name, given in (("encoding", encoding), ("convert_to", convert_to)):
            if given is not None and given not in ENCODINGS:
                raise ConfigurationError(
                    f"Expected '{name}' of the reader 'tagging-conll' to be one of "
                    f"{list(ENCODINGS)}, got '{given}'."
                )
        if convert_to is not None and encoding is None:
            raise ConfigurationError(
                "Expected the 'encoding' of the files where 'convert_to' is given in the reader "
                "'tagging-conll', got none."
            )
        self.token_column = token_column
        self.tag_column = tag_column
        self.separator = _SEPARATORS[separator]
        self.comment = comment
        self.conllu = conllu
        self.encoding = encoding
        self.convert_to = convert_to

    def _read(self, file_path: str) -> Iterable[Instance]:
        for sentence in self.shard_iterable(sentences_of(str(file_path), self._sentences)):
            for column in (self.token_column, self.tag_column):
                width = len(sentence.rows[0])
                if not -width <= column < width:
                    raise ValueError(
                        f"{sentence.where(0)}: expected the column {column}, got {width} columns; "
                        "set token_column and tag_column, which count from 0."
                    )
            tags = sentence.column(self.tag_column)
            if self.encoding is not None:
                tags = convert(tags, self.encoding, self.convert_to or self.encoding, sentence)
            yield self.text_to_instance(sentence.column(self.token_column), tags)

    def _sentences(self, file: str) -> Iterator[Sentence]:
        return (
            read_conllu(file) if self.conllu else read_columns(file, self.separator, self.comment)
        )

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        return self.text_to_instance(self.tokens_of(line))

    def text_to_instance(
        self, tokens: Sequence[str], tags: Optional[Sequence[str]] = None
    ) -> Instance:
        """A sentence, already in tokens."""
        return self._make([Token(token) for token in tokens], tags)


@DatasetReader.register("srl-conllu")
class SemanticRoleReader(TaggingReader):
    """Reads semantic roles from CoNLL-U files with the sense of a predicate in the column after the
    last standard one, and a column of roles for each predicate after it (Universal Propositions).

    One instance for each predicate: its tokens, with `type_id` 1 at the predicate and 0 elsewhere,
    which an indexer `{type: 'single_id', namespace: null, feature_name: 'type_id'}` reads; and the
    role of each token, '_' where it has none.

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
    bio : `bool`
        Whether to write roles as spans of one token, `B-ARG0` and `O`, instead of `ARG0` and '_'.
    tokenizer : `Tokenizer`, optional
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

    def _read(self, file_path: str) -> Iterable[Instance]:
        return self.shard_iterable(self._instances(str(file_path)))

    def _instances(self, path: str) -> Iterator[Instance]:
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
            for column, predicate in enumerate(predicates, 11):
                roles = sentence.column(column)
                if self.bio:
                    roles = ["O" if role == "_" else f"B-{role}" for role in roles]
                yield self.text_to_instance(sentence.column(1), predicate, roles)

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        tokens = self.tokens_of(line)
        if type(line.get("predicate")) is not int:
            raise ValueError(
                "Expected a line with 'predicate', the place of the predicate among the tokens, "
                f"from 0, got {line.get('predicate')!r}."
            )
        return self.text_to_instance(tokens, line["predicate"])

    def text_to_instance(
        self, tokens: Sequence[str], predicate: int, roles: Optional[Sequence[str]] = None
    ) -> Instance:
        """A sentence, already in tokens, and the place of its predicate, from 0.

        # Raises

        `ValueError` where the predicate is not in the sentence.
        """
        if not 0 <= predicate < len(tokens):
            raise ValueError(
                f"Expected the place of a predicate from 0 to {len(tokens) - 1}, got {predicate}."
            )
        made = [Token(token, type_id=int(i == predicate)) for i, token in enumerate(tokens)]
        return self._make(made, roles)
