"""Readers of sequences of tags."""

from typing import Any, Callable, Dict, Iterator, List, Literal, Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer, Tokenizer, Vocabulary
from allennlp.data.fields import TensorField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.data.tokenizers import LettersDigitsTokenizer, Token

from ...span_encodings import ENCODINGS, Encoding
from ..conll import FORM, UPOS, Sentence, read_columns, read_conllu
from ..registry import resolve
from ..tag_encodings import convert
from ..tag_fields import TagField
from .json_reader import JsonReader

_SEPARATORS = {"any": None, "tab": "\t", "space": " "}


class TaggingReader(JsonReader):
    """The base of readers whose instances have the fields `x` (a text), `labels` (a tag for each
    token) and `mask` (which tokens are no padding).

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
        By default each token's own number, as `tokens`.
    tokenizer : `Tokenizer`, optional
        The tokenizer of sentences in one string; by default it splits words, numbers, punctuation.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(max_instances, sharded=True)
        self.token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}
        self.tokenizer = tokenizer or LettersDigitsTokenizer()

    def apply_token_indexers(self, instance: Instance) -> None:
        instance.fields["x"].token_indexers = self.token_indexers

    def line_of(self, value: Any) -> Dict[str, Any]:
        """Return the line of JSON of a sentence in memory: a line, a text or a list of tokens."""
        if isinstance(value, dict):
            return value
        if isinstance(value, str):
            return {"sentence": value}
        if not hasattr(value, "__iter__"):
            raise ValueError(
                f"Expected a sentence, a text or a list of tokens, got {str(value)[:60]}."
            )
        return {"tokens": list(value)}

    def tokens_of(self, line: Dict[str, Any]) -> List[str]:
        """Return the tokens of a line of JSON: its `tokens`, or those of its `sentence`."""
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

    def _make(
        self,
        tokens: List[Token],
        tags: Optional[Sequence[str]],
        sentence: Optional[Sentence] = None,
    ) -> Instance:
        text = TextField(tokens)
        fields: Dict[str, Any] = {
            "x": text,
            "mask": TensorField(torch.ones(len(tokens), dtype=torch.bool)),
        }
        if tags is not None:
            fields["labels"] = TagField(tags, text, sentence)
        return Instance(fields)


def sentences_of(path: str, read: Callable[[str], Iterator[Sentence]]) -> Iterator[Sentence]:
    """Yield the sentences of the files of a path, in order; `read` reads one file."""
    data = resolve(path)
    sentences = [sentence for file in data.files() for sentence in read(file)]
    for row in data.select(len(sentences)):
        yield sentences[row]


@DatasetReader.register("tagging-conll")
class TaggingConllReader(TaggingReader):
    """Read tags from files of columns, such as CoNLL-U: one token per line, blank lines between
    sentences.

    A path is a file, a pattern (`data/part-*.conll`), or of the registry
    (`data://twpos/train`).

    # Parameters

    token_indexers : `Dict[str, TokenIndexer]`, optional
    token_column, tag_column : `int`, optional
        From 0; a negative number counts from the right. By default the first and the last column;
        in CoNLL-U column 1 (FORM) and column 3 (UPOS), where column 4 (XPOS) has the tags of the
        language.
    pos_column : `int`, optional
        A column of parts of speech, which the model reads by an indexer such as
        `{type: 'single_id', namespace: 'pos', feature_name: 'pos_'}`. A line of JSON then has `pos`
        too, the part of speech of each token.
    separator : `"any"`, `"tab"` or `"space"`
        Between columns; `any` is any number of spaces and tabs, and no other white space.
    comment : `str`, optional
        The start of lines to ignore.
    conllu : `bool`
        Whether the files are CoNLL-U: tabs between columns, comments after '#', lines of multi-word
        tokens and empty nodes ignored.
    keep_docstart : `bool`
        Whether lines whose first word is `-DOCSTART-` (CoNLL-2003) are sentences; by default they
        are ignored.
    encoding, convert_to : `"IOB1"`, `"BIO"`, `"BIOUL"`, `"IOBES"` or `"BIOES"`, optional
        The encoding of spans in the files, and the one that the model uses.
    tokenizer : `Tokenizer`, optional

    # Raises

    `ConfigurationError` for settings that do not fit together; `ValueError` for bad data, with file
    and line.
    """

    def __init__(
        self,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        token_column: Optional[int] = None,
        tag_column: Optional[int] = None,
        pos_column: Optional[int] = None,
        separator: Literal["any", "tab", "space"] = "any",
        comment: Optional[str] = None,
        conllu: bool = False,
        keep_docstart: bool = False,
        encoding: Optional[Encoding] = None,
        convert_to: Optional[Encoding] = None,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(token_indexers, tokenizer, max_instances)
        if separator not in _SEPARATORS:
            raise ConfigurationError(
                f"Expected a separator among {list(_SEPARATORS)} in the reader 'tagging-conll', "
                f"got '{separator}'."
            )
        if conllu and (separator != "any" or comment or keep_docstart):
            raise ConfigurationError(
                "Expected no 'separator', 'comment' and 'keep_docstart' in the reader "
                f"'tagging-conll' where 'conllu' is true, got '{separator}', {comment!r} and "
                f"{keep_docstart}; leave them out."
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
        columns = (FORM, UPOS) if conllu else (0, -1)
        self.token_column = columns[0] if token_column is None else token_column
        self.tag_column = columns[1] if tag_column is None else tag_column
        if self.token_column == self.tag_column:
            raise ConfigurationError(
                "Expected different numbers as 'token_column' and 'tag_column' of the reader "
                f"'tagging-conll', got {self.tag_column} for both."
            )
        if pos_column is not None and pos_column in (self.token_column, self.tag_column):
            raise ConfigurationError(
                "Expected a 'pos_column' of the reader 'tagging-conll' that is neither the "
                f"'token_column' nor the 'tag_column', got {pos_column}."
            )
        self.pos_column = pos_column
        self.separator = _SEPARATORS[separator]
        self.comment = comment
        self.conllu = conllu
        self.keep_docstart = keep_docstart
        self.encoding = encoding
        self.convert_to = convert_to

    def instances(self, path: str) -> Iterator[Instance]:
        for sentence in sentences_of(path, self._sentences):
            self._check_columns(sentence)
            tags = sentence.column(self.tag_column)
            if self.encoding is not None:
                tags = convert(tags, self.encoding, self.convert_to or self.encoding, sentence)
            pos = None if self.pos_column is None else sentence.column(self.pos_column)
            yield self.text_to_instance(sentence.column(self.token_column), tags, sentence, pos)

    def _sentences(self, file: str) -> Iterator[Sentence]:
        if self.conllu:
            return read_conllu(file)
        return read_columns(file, self.separator, self.comment, self.keep_docstart)

    def _check_columns(self, sentence: Sentence) -> None:
        width = len(sentence.rows[0])
        for column in (self.token_column, self.tag_column, self.pos_column):
            if column is not None and not -width <= column < width:
                raise ValueError(
                    f"{sentence.where(0)}: expected the column {column}, got {width} columns; "
                    "set token_column, tag_column and pos_column, which count from 0."
                )
        if self.token_column % width == self.tag_column % width:
            raise ValueError(
                f"{sentence.where(0)}: expected a token and a tag in different columns, got "
                f"{width} in {' '.join(sentence.rows[0])[:60]!r}, so that both are column "
                f"{self.token_column % width + 1}; check separator, token_column and tag_column of "
                "the reader."
            )

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        tokens = self.tokens_of(line)
        return self.text_to_instance(tokens, pos=self._pos_of(line, tokens))

    def value_to_instance(
        self, value: Any, vocab: Vocabulary, output: Optional[Any] = None
    ) -> Instance:
        """Return the instance of a sentence, a text or a list of tokens, and of its tags."""
        line = self.line_of(value)
        tokens = self.tokens_of(line)
        if output is not None and (
            isinstance(output, str) or not hasattr(output, "__len__") or len(output) != len(tokens)
        ):
            raise ValueError(
                f"Expected a list with a tag for each of the {len(tokens)} tokens as the output of "
                f"a sentence, got {str(output)[:60]}."
            )
        return self.text_to_instance(tokens, output, pos=self._pos_of(line, tokens))

    def _pos_of(self, line: Dict[str, Any], tokens: List[str]) -> Optional[List[str]]:
        """Return the parts of speech of a line, if the model reads them."""
        if self.pos_column is None:
            return None
        pos = line.get("pos")
        if (
            not isinstance(pos, list)
            or len(pos) != len(tokens)
            or not all(isinstance(part, str) for part in pos)
        ):
            raise ValueError(
                "Expected a line with 'pos', the part of speech of each of its "
                f"{len(tokens)} tokens, for the model, whose reader has a pos_column, got "
                f"{str(pos)[:60]}."
            )
        return pos

    def text_to_instance(
        self,
        tokens: Sequence[str],
        tags: Optional[Sequence[str]] = None,
        sentence: Optional[Sentence] = None,
        pos: Optional[Sequence[str]] = None,
    ) -> Instance:
        """Return the instance of a sentence of tokens, with their parts of speech if given;
        `sentence` names its lines in messages."""
        parts = [None] * len(tokens) if pos is None else pos
        made = [Token(token, pos_=part) for token, part in zip(tokens, parts, strict=True)]
        return self._make(made, tags, sentence)
