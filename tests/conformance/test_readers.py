"""Every registered dataset reader runs its conformance suite: a new one needs data here."""

from allennlp.data import DatasetReader

from structured_energy.data import Reader
from structured_energy.testing import ReaderConformance, write_arff, write_conllu, write_images

UNTAGGED = "\t".join(["1", "Hi", "hi", "INTJ", *"______"])


def embedded_digits(folder):
    return "embedded://digits/train"


# Of each reader, its config, its data, and further files that are none.
READERS = {
    "arff": ("'arff'", write_arff, (b"% a comment\n\n% another\n", b"@relation r\n")),
    "digits-completion": ("'digits-completion'", embedded_digits, ()),
    "segmentation-npy": ("'segmentation-npy'", write_images, ()),
    "srl-conllu": ("'srl-conllu'", write_conllu, (b"# a comment\n\n", f"{UNTAGGED}\n".encode())),
    "tagging-conll": (
        "{type: 'tagging-conll', conllu: true}",
        write_conllu,
        (b"# a comment\n\n# another", b"\xef\xbb\xbf\n"),
    ),
}
COLUMNS = "the D\ndog N\n\nshe P\n"


def conformance(name, config, write, without_data):
    """The test class of a reader."""

    def write_data(self, folder):
        return str(write(folder) if write is embedded_digits else write(folder, "train", 3))

    members = {
        "config": config,
        "write": write_data,
        "without_data": ReaderConformance.without_data + without_data,
    }
    return type(name, (ReaderConformance,), members)


for registered, settings in READERS.items():
    title = registered.title().replace("-", "")
    globals()[f"Test{title}"] = conformance(f"Test{title}", *settings)


class TestColumns(ReaderConformance):
    config = "{type: 'tagging-conll', comment: '%'}"
    without_data = (*ReaderConformance.without_data, b"% a\n\n", b"-DOCSTART- -X- O\n\n")

    def write(self, folder):
        path = folder / "columns.txt"
        path.write_text(COLUMNS)
        return str(path)


def test_every_registered_reader_is_run():
    ours = {
        name
        for name in DatasetReader.list_available()
        if DatasetReader.by_name(name).__module__.startswith("structured_energy.")
    }
    assert ours == set(READERS)


def test_registered_readers_have_the_base_of_all():
    for name in READERS:
        assert issubclass(DatasetReader.by_name(name), Reader)
