"""The reader of texts with labels."""

import copy
from typing import Any, Dict, Iterator, List, Literal, Optional, Sequence, Union

import numpy as np
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Field, Instance, TokenIndexer, Tokenizer, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.data.tokenizers import LettersDigitsTokenizer, Token

from ...vocabulary import names
from ..fields import RowField, Schema
from ..registry import resolve
from ..tables import Labels, RawTable, TextSettings, as_patterns, in_taxonomy, table_of_records
from ..texts import FORMATS, TextLabels, TextsField, read_documents, read_names, read_topics
from .json_reader import JsonReader
from .tabular_reader import check_choice, check_encoding, check_separators

_EMPTY = "@@empty@@"  # the token of a text without tokens, which no encoder takes
_NAME = "multi-label-text"


@DatasetReader.register(_NAME)
class MultiLabelTextReader(JsonReader):
    """Read texts with sets of labels; instances have the fields `x` (a text) and `labels`.

    Files are JSON lines, CSV, TSV and Parquet, by their suffix, or of a published format: `bgc`,
    the Blurb Genre Collection, and `rcv1`, the tokens of RCV1-v2 (with `topics_file`). A path is a
    file, a pattern (`data/part-*.jsonl`), or of the registry (`data://goemotions/train`), each with
    or without a slice (`[:90%]?seed=1`). Data to predict for need no labels.

    # Parameters

    text : `str` or `List[str]`
        The column of the text, or several, such as a title and a body.
    labels : `str` or `List[str]`
        The column that has all labels of a row: a list, delimited text, topics by level
        (`{"d0": ["Fiction"], "d1": ["Romance"]}`), or indices into `labels_file`. Several columns,
        by names or patterns, have 0 and 1.
    label_separator : `str`, optional
        The mark between labels in text, such as `;`.
    labels_file : `str`, optional
        A file of the names of all labels, one on each line, or its address in the registry; labels
        are its names or indices into it from 0.
    topics_file : `str`, optional
        A file of labels by document, with lines `topic document 1`; the column `id` has the
        document of each row.
    taxonomy : `str`, optional
        A file with the taxonomy of the labels, which are all its terms, closed under ancestors.
    id : `str`
        The column of the ids of documents.
    texts : `"joined"` or `"separate"`
        Whether several columns of text become one text, or one each for `texts` of the encoder.
    joiner : `str`
        The text between joined columns.
    columns : `List[str]`, optional
        The names of the columns of CSV and TSV whose first line is no header.
    tokenizer : `Tokenizer`, optional
        By default it splits words, numbers and punctuation.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        By default each lower-case token's own number, as `tokens`.
    max_tokens : `int`, optional
        How many tokens of a text to read; transformers have `max_length` of their tokenizer.
    format : `str`, optional
        `csv`, `tsv`, `jsonl`, `parquet`, `bgc` or `rcv1`, whatever the suffix.
    separator : `str`, optional
        The mark between the cells of CSV and TSV, by default a comma or a tab.
    quotes : `bool`
        Whether quotes may surround a cell of CSV and TSV; without them a quote is text.
    encoding : `str`
        Of the files.

    # Raises

    `ConfigurationError` for settings that do not fit together; `ValueError` for bad data, with file
    and line.
    """

    def __init__(
        self,
        text: Union[str, List[str]] = "text",
        labels: Optional[Union[str, List[str]]] = None,
        label_separator: Optional[str] = None,
        labels_file: Optional[str] = None,
        topics_file: Optional[str] = None,
        taxonomy: Optional[str] = None,
        id: str = "id",
        texts: Literal["joined", "separate"] = "joined",
        joiner: str = " ",
        columns: Optional[Sequence[str]] = None,
        tokenizer: Optional[Tokenizer] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_tokens: Optional[int] = None,
        format: Optional[str] = None,
        separator: Optional[str] = None,
        quotes: bool = True,
        encoding: str = "utf-8",
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(max_instances, sharded=True)
        check_choice("format", format, (None, *FORMATS), _NAME)
        check_choice("texts", texts, ("joined", "separate"), _NAME)
        check_separators(separator, label_separator, _NAME)
        check_encoding(encoding, _NAME)
        self.text = [text] if isinstance(text, str) else list(text)
        if not self.text or len(set(self.text)) < len(self.text):
            raise ConfigurationError(
                f"Expected different columns as 'text' of the dataset reader '{_NAME}', got {text}."
            )
        if topics_file is not None and (labels is not None or label_separator is not None):
            raise ConfigurationError(
                "Expected labels in the 'topics_file' or in a column, 'labels', of the dataset "
                f"reader '{_NAME}', got both; leave one out."
            )
        if max_tokens is not None and max_tokens < 1:
            raise ConfigurationError(
                f"Expected max_tokens of the dataset reader '{_NAME}' to be at least 1, got "
                f"{max_tokens}."
            )
        default = "topics" if format == "bgc" else "labels"
        self.labels = TextLabels(as_patterns(labels or default), label_separator, id=id)
        self.labels_file = labels_file
        self.topics_file = topics_file
        self.taxonomy = taxonomy
        self.is_separate = texts == "separate"
        self.joiner = joiner
        self.columns = None if columns is None else list(columns)
        self.tokenizer = tokenizer or LettersDigitsTokenizer()
        self.token_indexers = token_indexers or {
            "tokens": SingleIdTokenIndexer(lowercase_tokens=True)
        }
        self.max_tokens = max_tokens
        self.format = format
        self._settings = TextSettings(encoding, separator or "", quotes=quotes)
        self._has_label_files = False
        self._reads_labels = True

    def apply_token_indexers(self, instance: Instance) -> None:
        x = instance.fields["x"]
        if isinstance(x, TextsField):
            x.set_indexers(self.token_indexers)
        else:
            x.token_indexers = self.token_indexers

    def for_prediction(self, vocab: Vocabulary) -> "MultiLabelTextReader":
        """Return a reader of texts only."""
        reader = copy.copy(self)
        reader._reads_labels = False
        return reader

    def check_header(self, file: str) -> None:
        """Raise `ValueError` for columns of texts or labels that a file lacks."""
        table = read_documents(file, self.format, self._settings, self.columns)
        self._labels_of(table)
        if table.lines:
            self._texts_of(table, 0)

    def instances(self, path: str) -> Iterator[Instance]:
        data = resolve(path)
        tables = [
            read_documents(file, self.format, self._settings, self.columns) for file in data.files()
        ]
        labels = [self._labels_of(table) if self._reads_labels else None for table in tables]
        schemas = [
            here and Schema(t.source, here.entries, is_open=_open(here))
            for t, here in zip(tables, labels, strict=True)
        ]
        places = [
            (number, row) for number, table in enumerate(tables) for row in range(len(table.lines))
        ]
        for chosen in data.select(len(places)):
            number, row = places[chosen]
            here, schema = labels[number], schemas[number]
            instance = Instance({"x": self._x(self._texts_of(tables[number], row))})
            if here is not None and schema is not None:
                if any(len(unknown) for unknown in here.unknown[row : row + 1]):
                    raise ValueError(
                        f"{tables[number].source}, {tables[number].place} "
                        f"{tables[number].lines[row]}: expected 0 or 1 of each label, got a "
                        "missing value; remove the row."
                    )
                instance.add_field("labels", RowField(schema, "labels", here.on[row]))
            yield instance

    def _labels_of(self, table: RawTable) -> Labels:
        if not self._has_label_files:
            encoding = self._settings.encoding
            if self.labels_file is not None:
                listed = read_names(_one_file(self.labels_file, "labels_file"), encoding)
                self.labels = self.labels._replace(names=listed)
            if self.topics_file is not None:
                topics = read_topics(_one_file(self.topics_file, "topics_file"), encoding)
                self.labels = self.labels._replace(topics=topics)
            self._has_label_files = True
        return in_taxonomy(self.labels.read(table), table, self.taxonomy)

    def _texts_of(self, table: RawTable, row: int) -> Dict[str, str]:
        """Return the texts of a row by column.

        # Raises

        `ValueError` for a column that the table lacks, a cell that is no text, and a row without
        any.
        """
        texts: Dict[str, str] = {}
        for name in self.text:
            if name not in table.columns:
                raise ValueError(
                    f"{table.source}: expected a column of texts '{name}', got the columns "
                    f"{[each[:30] for each in list(table.columns)[:8]]}; set 'text' of the dataset "
                    "reader, or 'columns' if the file has no header."
                )
            cell = table.columns[name][row]
            if cell is not None and not isinstance(cell, str):
                raise ValueError(f"{table.at(row, name)}: expected a text, got {cell!r:.40}.")
            texts[name] = (cell or "").strip()
        if not any(texts.values()):
            raise ValueError(
                f"{table.at(row, self.text[0])}: expected a text, got none; remove the row."
            )
        return texts

    def _x(self, texts: Dict[str, str]) -> Field:
        if self.is_separate:
            return TextsField({name: self._text(text) for name, text in texts.items()})
        return self._text(self.joiner.join(text for text in texts.values() if text))

    def _text(self, text: str) -> TextField:
        tokens = self.tokenizer.tokenize(text)[: self.max_tokens]
        return TextField(tokens or [Token(_EMPTY)])

    def json_to_instance(self, line: Dict[str, Any], vocab: Vocabulary) -> Instance:
        """Return the instance of a line with a key for each column of text."""
        missing = [name for name in self.text if name not in line]
        if missing:
            raise ValueError(
                f"Expected a line with the key '{missing[0]}', a text, got the keys {sorted(line)}."
            )
        table = table_of_records("The line", [line], [1], "record")
        return Instance({"x": self._x(self._texts_of(table, 0))})

    def value_to_instance(
        self, value: Any, vocab: Vocabulary, output: Optional[Any] = None
    ) -> Instance:
        """Return the instance of a text, or of a dictionary of texts by column; the output holds
        the names of its labels."""
        line = {self.text[0]: value} if isinstance(value, str) else value
        if not isinstance(line, dict):
            raise ValueError(
                f"Expected a text, or a dictionary of texts by column, got {value!r:.40}."
            )
        instance = self.json_to_instance(line, vocab)
        if output is not None:
            known = names(vocab, "labels")
            unknown = [label for label in output if label not in known]
            if unknown:
                raise ValueError(f"Expected labels of the model, got '{unknown[0]}'.")
            on = np.array(sorted(known.index(label) for label in output), dtype=np.int64)
            schema = Schema("input", {"labels": known})
            instance.add_field("labels", RowField(schema, "labels", on))
        return instance


def _open(labels: Labels) -> List[str]:
    return ["labels"] if labels.is_open else []


def _one_file(path: str, setting: str) -> str:
    files = resolve(path).files()
    if len(files) > 1:
        raise ConfigurationError(
            f"Expected one file as '{setting}' of the dataset reader '{_NAME}', got {len(files)}."
        )
    return files[0]
