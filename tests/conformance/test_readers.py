"""Every registered dataset reader runs its conformance suite: a new one needs a class here."""

from allennlp.data import DatasetReader
from component_names import names_of

from structured_energy.data import Reader, write_table
from structured_energy.testing import (
    ReaderConformance,
    evaluate_jsonnet,
    write_arff,
    write_conllu,
    write_images,
    write_texts,
)

UNTAGGED = "\t".join(["1", "Hi", "hi", "INTJ", *"______"])
COMMENTS = b"# a comment\n\n# another"
EMPTY = ReaderConformance.without_data


class TestArff(ReaderConformance):
    config = "'arff'"
    without_data = (*EMPTY, b"% a comment\n\n% another\n", b"@relation r\n")

    def write(self, folder):
        return str(write_arff(folder, "train", 3))


class TestDigitsCompletion(ReaderConformance):
    config = "'digits-completion'"

    def write(self, folder):
        return "embedded://digits/train"


class TestSegmentation(ReaderConformance):
    config = "'segmentation-npy'"

    def write(self, folder):
        return str(write_images(folder, "train", 3))


class TestRoles(ReaderConformance):
    config = "'srl-conllu'"
    without_data = (*EMPTY, COMMENTS, f"{UNTAGGED}\n".encode())

    def write(self, folder):
        return str(write_conllu(folder, "train", 3))


class TestRolesOfConll2012(ReaderConformance):
    config = "'srl-conll2012'"
    without_data = (*EMPTY, COMMENTS, b"a 0 0 Yes UH * - - - - * -\n")

    def write(self, folder):
        path = folder / "roles.conll"
        rows = ["a 0 0 She PRP * - - - - * (ARG0*) -", "a 0 1 runs VBZ * run 01 1 - * (V*) -", ""]
        path.write_text("\n".join(3 * rows))
        return str(path)


class TestTagging(ReaderConformance):
    config = "{type: 'tagging-conll', conllu: true}"
    without_data = (*EMPTY, COMMENTS, b"\xef\xbb\xbf\n")

    def write(self, folder):
        return str(write_conllu(folder, "train", 3))


class TestDependencies(ReaderConformance):
    config = "'dependency-conllu'"
    without_data = (*EMPTY, COMMENTS)

    def write(self, folder):
        return str(write_conllu(folder, "train", 3))


class TestTable(ReaderConformance):
    config = "{type: 'table', labels: 'label_*'}"
    without_data = (*EMPTY, b"a,label_b\n", b"\xef\xbb\xbf\n")

    def write(self, folder):
        path = folder / "table.csv"
        path.write_text("a,color,label_b\n1,red,0\n2,blue,1\n3,red,1\n")
        return str(path)


class TestJsonLines(TestTable):
    config = "{type: 'table', format: 'jsonl'}"
    without_data = EMPTY

    def write(self, folder):
        return write_table(folder / "table", [{"a": 1}, {"a": 2, "color": "red"}], [["p"], ["q"]])


class TestArrays(TestTable):
    config = "'table'"
    without_data = EMPTY

    def write(self, folder):
        return write_table(folder / "table", [[1.5, 0], [0, 2]], [["p"], ["p", "q"]])


class TestSvmlight(TestTable):
    config = "{type: 'table', format: 'svmlight'}"
    without_data = (*EMPTY, b"# a comment\n")

    def write(self, folder):
        return write_table(folder / "table.svm", [[1.5, 0], [0, 2]], [["p"], ["p", "q"]])


class TestTexts(ReaderConformance):
    config = "{type: 'multi-label-text', columns: ['text', 'labels', 'id'], label_separator: ','}"

    def write(self, folder):
        return str(write_texts(folder, "train", 3))


class TestTextsOfJsonLines(ReaderConformance):
    config = "{type: 'multi-label-text', text: ['title', 'body'], texts: 'separate'}"

    def write(self, folder):
        path = folder / "texts.jsonl"
        path.write_text(
            '{"title": "Rain", "body": "It rains.", "labels": ["weather"]}\n'
            '{"title": "Goal", "body": "", "labels": ["sport", "weather"]}\n'
        )
        return str(path)


class TestColumns(ReaderConformance):
    config = "{type: 'tagging-conll', comment: '%'}"
    without_data = (*EMPTY, b"% a\n\n", b"-DOCSTART- -X- O\n\n")

    def write(self, folder):
        path = folder / "columns.txt"
        path.write_text("the D\ndog N\n\nshe P\n")
        return str(path)


def test_every_registered_reader_is_run_and_has_the_base_of_all():
    ours = set(names_of(DatasetReader))
    configs = [evaluate_jsonnet(suite.config) for suite in ReaderConformance.__subclasses__()]
    assert ours <= {config if isinstance(config, str) else config["type"] for config in configs}
    for name in ours:
        assert issubclass(DatasetReader.by_name(name), Reader)
