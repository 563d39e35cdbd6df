"""The base of readers: what gives no instance is refused, whoever loads it."""

import hashlib

import pytest
from allennlp.common import Params
from allennlp.data import DataLoader
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo
from reading import tensors

from structured_energy.data import ArffReader, Reader, TaggingConllReader
from structured_energy.data.published import DATA_SETS, DataSet
from structured_energy.testing import train_snippet, write_arff, write_conllu

TAGGER = """{
  dataset_reader: { type: 'tagging-conll', conllu: true },
  data_loader: { type: 'multiprocess', batch_size: 4 },
  model: {
    type: 'structured-energy',
    output_space: 'categorical',
    task_network: {
      encoder: {
        type: 'tokens',
        embedder: { token_embedders: { tokens: { type: 'embedding', embedding_dim: 4 } } },
      },
    },
    sampler: { type: 'inference-network', loss: 'cross-entropy' },
    metrics: ['tag-accuracy'],
  },
  trainer: { num_epochs: 1, optimizer: 'adam' },
}"""


class Lines(Reader):
    """Yields the lines of a file, and checks nothing itself."""

    def instances(self, path):
        with open(path, encoding="utf-8") as source:
            for line in source:
                yield line.strip()


class ShardedLines(Reader):
    """A reader whose base splits the instances among workers."""

    def __init__(self):
        super().__init__(sharded=True)

    def instances(self, path):
        yield from Lines().instances(path)


@pytest.fixture()
def file(tmp_path):
    def write(content):
        path = tmp_path / "file.txt"
        path.write_bytes(content)
        return str(path)

    return write


def test_no_instance_is_refused(file):
    path = file(b"")
    with pytest.raises(ValueError, match="expected at least one instance, got none") as error:
        list(Lines().read(path))
    assert str(error.value).startswith(f"{path}: ")


def test_what_python_says_of_files_becomes_one_sentence(file, tmp_path):
    path = file(b"a\xff\n")
    for read, message in (
        (path, r"expected text in UTF-8, got the bytes b'\\xff\\n'"),
        (str(tmp_path), "expected a file that can be read, got: Is a directory"),
        (str(tmp_path / "none"), "expected a file that can be read, got: No such file"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            list(Lines().read(read))
        assert type(error.value) is ValueError and str(error.value).startswith(f"{read}: ")


@pytest.mark.filterwarnings("ignore:Using multi-process")
@pytest.mark.parametrize("reader", [Lines, ShardedLines])
def test_a_worker_without_instances_is_no_error(file, reader):
    one, none = [], []
    for worker in range(2):
        worker_reader = reader()
        worker_reader._set_worker_info(WorkerInfo(2, worker))
        one.append(list(worker_reader.read(file(b"a\n"))))
        with pytest.raises(ValueError, match="got none"):
            none += worker_reader.read(file(b""))
    assert one == [["a"], []] and none == []


@pytest.mark.parametrize("lazily", [None, 2])
def test_a_data_loader_refuses_an_empty_file(file, lazily):
    with pytest.raises(ValueError, match="expected sentences, got none in 0 lines"):
        list(
            MultiProcessDataLoader(
                TaggingConllReader(), file(b""), batch_size=2, max_instances_in_memory=lazily
            ).iter_instances()
        )


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_run_with_an_empty_file_does_not_start(file, tmp_path, part):
    data = {
        f"{name}_data_path": str(write_conllu(tmp_path, name, 4))
        for name in ("train", "validation", "test")
    }
    data[f"{part}_data_path"] = path = file(b"\n\n")
    with pytest.raises(ValueError, match=f"{path}: expected sentences, got none in 2 lines"):
        train_snippet(TAGGER, tmp_path, data)
    assert not list((tmp_path / "run").glob("*.th"))


@pytest.mark.parametrize(
    ("reader", "write"), [(ArffReader, write_arff), (TaggingConllReader, write_conllu)]
)
def test_a_part_without_rows_is_refused(tmp_path, monkeypatch, reader, write):
    path = write(tmp_path / "tiny", "train", 3)
    files = [file.name for file in path.parent.iterdir()]
    digests = {
        name: hashlib.sha256((path.parent / name).read_bytes()).hexdigest() for name in files
    }
    monkeypatch.setitem(DATA_SETS, "tiny", DataSet("nowhere/", {"train": path.name}, digests))
    monkeypatch.setenv("STRUCTURED_ENERGY_DATA", str(tmp_path))
    settings = {"conllu": True} if reader is TaggingConllReader else {}
    assert len(tensors(reader(**settings).read("data://tiny/train[10%:]"))) == 3
    with pytest.raises(ValueError, match="expected at least one instance, got none") as error:
        list(reader(**settings).read("data://tiny/train[:10%]"))
    assert str(error.value).startswith("data://tiny/train[:10%]: ")


def test_the_tensor_loader_refuses_what_the_reader_refuses(file):
    params = {"type": "tensor", "batch_size": 2}
    with pytest.raises(ValueError, match=r"file\.txt"):
        DataLoader.from_params(
            Params(params), reader=ArffReader(num_labels=1), data_path=file(b"% nothing\n")
        )
