"""The conformance suite of dataset readers."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Dict, List, Optional, Tuple

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary

from ..problem import evaluate_jsonnet


class ReaderConformance:
    """A dataset reader: files that are not data are refused in one sentence that names them, and
    reading twice gives the same instances.

    A subclass names the reader and writes a small valid file for it:

        class TestMyReader(ReaderConformance):
            config = "{type: 'my-reader'}"

            def write(self, folder):
                path = folder / "data.txt"
                path.write_text("...")
                return str(path)
    """

    config: ClassVar[str]
    base: ClassVar[Any] = DatasetReader
    without_data: ClassVar[Tuple[bytes, ...]] = (b"", b"\n", b" \n\n\t\r\n")
    """Contents of files in which there are no instances."""

    @abstractmethod
    def write(self, folder: Path) -> str:
        """Write data with at least two instances into a folder and return the path to read."""

    @pytest.fixture()
    def path(self, tmp_path: Path) -> str:
        return self.write(tmp_path)

    @pytest.fixture()
    def other_file(self, tmp_path: Path, path: str) -> Path:
        """A path that does not exist, with the name of the valid file."""
        folder = tmp_path / "other"
        folder.mkdir()
        return folder / Path(path).name

    def build(self, settings: Optional[Dict[str, Any]] = None) -> DatasetReader:
        """Return a new reader, with further settings."""
        params = evaluate_jsonnet(self.config)
        params = {"type": params} if isinstance(params, str) else params
        return DatasetReader.from_params(Params({**params, **(settings or {})}))

    def check_refused(self, path: Path) -> None:
        """The reader refuses a path in one sentence that names it."""
        with pytest.raises((ValueError, ConfigurationError)) as error:
            list(self.build().read(str(path)))
        message = str(error.value)
        # Not a subclass such as UnicodeDecodeError, whose message is written for programmers.
        assert type(error.value) in (ValueError, ConfigurationError), repr(error.value)
        assert "xpected" in message and str(path) in message, message
        assert "\n" not in message and len(message) < 1000, message

    def test_data_are_read(self, path: str) -> None:
        instances = list(self.build().read(path))
        assert len(instances) > 1
        tensors(instances, Vocabulary.from_instances(instances))

    def test_reading_twice_gives_the_same_instances(self, path: str) -> None:
        reader = self.build()
        first = list(reader.read(path))
        vocab = Vocabulary.from_instances(first)
        expected = tensors(first, vocab)
        for again in (reader, self.build()):
            result = tensors(list(again.read(path)), vocab)
            torch.testing.assert_close(result, expected, rtol=0, atol=0)

    def test_no_more_than_max_instances_are_read(self, path: str) -> None:
        assert len(list(self.build({"max_instances": 1}).read(path))) == 1

    @pytest.mark.parametrize("number", [0, -1])
    def test_max_instances_below_one_raises(self, number: int) -> None:
        with pytest.raises(ConfigurationError, match=f"max_instances .* got {number}"):
            self.build({"max_instances": number})

    def test_a_misspelt_key_raises(self) -> None:
        with pytest.raises(ConfigurationError, match="no_such_key"):
            self.build({"no_such_key": 1})

    def test_a_file_without_data_is_refused(self, other_file: Path) -> None:
        for content in self.without_data:
            other_file.write_bytes(content)
            self.check_refused(other_file)

    def test_a_missing_file_is_refused(self, other_file: Path) -> None:
        self.check_refused(other_file)

    def test_a_folder_instead_of_a_file_is_refused(self, other_file: Path) -> None:
        other_file.mkdir()
        self.check_refused(other_file)

    @pytest.mark.parametrize(
        "content",
        [
            bytes(range(256)) * 20,
            bytes(1000),
            "a X\nb Y\n".encode("utf-16"),
            "a X\nb Y\n".encode("utf-16-le"),
        ],
        ids=["all bytes", "zeros", "UTF-16", "UTF-16 without its mark"],
    )
    def test_a_binary_file_is_refused(self, other_file: Path, content: bytes) -> None:
        other_file.write_bytes(content)
        self.check_refused(other_file)


def tensors(instances: List[Instance], vocab: Vocabulary) -> List[Dict[str, Any]]:
    """Return the fields of each instance as tensors."""
    for instance in instances:
        instance.index_fields(vocab)
    return [instance.as_tensor_dict(instance.get_padding_lengths()) for instance in instances]
