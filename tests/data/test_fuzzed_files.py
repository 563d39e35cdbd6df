"""Valid files with bytes changed: each is read, or ends in one of our sentences.

`make fuzz` tries 10,000 files of each reader.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from reading import many, read_or_refused, tensors

from structured_energy.data import (
    ArffReader,
    SegmentationReader,
    SemanticRoleReader,
    TableReader,
    TaggingConllReader,
    write_table,
)
from structured_energy.testing import write_arff, write_conllu, write_images


def dense_arff(folder):
    return write_arff(folder, "train", 3)


def sparse_arff(folder):
    path = dense_arff(folder)
    header, _, _ = path.read_text().partition("@data\n")
    path.write_text(f"{header}@data\n{{0 1.5,6 1}}\n{{2 -2,5 1,8 1}}\n{{}}\n")
    return path


def labels_file(folder):
    return dense_arff(folder).with_name("problem.xml")


def columns(folder, last="I"):
    path = folder / "tags.txt"
    path.write_text(
        f"the\tD\tB-NP\ndog\tN\t{last}-NP\nruns\tV\tO\n\nhe\tP\tB-NP\nor\tC\t{last}-NP\n"
    )
    return path


def conllu(folder):
    return write_conllu(folder, "train", 3)


def archive(folder):
    return write_images(folder, "train", 2)


def write_pair(folder, image, mask, ending="png", **options):
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
    image.save(folder / "images" / f"0.{ending}", **options)
    mask.save(folder / "masks" / "0.png")


def picture(folder):
    write_pair(folder, Image.new("RGB", (5, 4), (80, 80, 80)), Image.new("L", (5, 4), 255))
    return folder / "images" / "0.png"


def picture_of_16_bits(folder):
    pixels = np.arange(20, dtype=np.uint16).reshape(4, 5) * 3000
    write_pair(folder, Image.fromarray(pixels), Image.new("1", (5, 4)), "tif")
    return folder / "images" / "0.tif"


def turned_picture(folder):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    write_pair(folder, Image.new("RGB", (5, 4)), Image.new("L", (4, 5)), "jpg", exif=exif)
    return folder / "images" / "0.jpg"


def palette_mask(folder):
    mask = Image.new("P", (5, 4))
    mask.putdata([0, 1, 255, 1] * 5)
    mask.putpalette(bytes(3) + bytes([128, 0, 0]) * 255)
    write_pair(folder, Image.new("L", (5, 4)), mask)
    return folder / "masks" / "0.png"


TABLE = ([[0.5, 2.0], [-1.0, 0.0], [3.25, 1.0]], [["a"], [], ["a", "b"]])


def csv(folder):
    path = folder / "table.csv"
    path.write_text('id,"a, b",color,y\n1,0.5,red,1\n2,-1e3,"dark ""red""",0\n3,true,blue,1\n')
    return path


def delimited_tsv(folder):
    path = folder / "table.tsv"
    path.write_text("a\tcolor\tlabels\n0,5\tred\tp;q\n1\tblue\t\n2,5\tred\tq\n")
    return path


def json_lines(folder):
    path = folder / "table.jsonl"
    path.write_text(
        '{"a": 1.5, "color": "red", "labels": ["p"]}\n{"a": -2, "color": "blue", "labels": ["q"]}\n'
    )
    return path


def written(name):
    def write(folder):
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
        return Path(write_table(folder / name, *TABLE))

    return write


def sparse_npz(folder):
    sparse = pytest.importorskip("scipy.sparse")
    return Path(write_table(folder / "table.npz", sparse.csr_matrix(TABLE[0]), TABLE[1]))


def xmc(folder):
    path = folder / "train.xmc"
    path.write_text("3 4 2\n0,1 1:0.5 3:2\n 2:1\n1 0:1e-3\n")
    return path


def table(**settings):
    # Without missing values, which are NaN up to the model.
    return lambda: TableReader(missing="error", **settings)


# What is written, the reader, and what it is given where that is not the file.
KINDS = {
    "arff": (dense_arff, ArffReader, None),
    "sparse-arff": (sparse_arff, ArffReader, None),
    "labels-of-arff": (labels_file, ArffReader, "problem-train.arff"),
    "columns": (columns, lambda: TaggingConllReader(tag_column=2), None),
    "columns-to-bioul": (
        columns,
        lambda: TaggingConllReader(tag_column=2, encoding="BIO", convert_to="BIOUL"),
        None,
    ),
    "columns-of-iobes": (
        lambda folder: columns(folder, "E"),
        lambda: TaggingConllReader(tag_column=2, encoding="IOBES", convert_to="IOB1"),
        None,
    ),
    "conllu": (
        conllu,
        lambda: TaggingConllReader(conllu=True),
        None,
    ),
    "semantic-roles": (conllu, SemanticRoleReader, None),
    "images": (archive, SegmentationReader, None),
    "image-files": (picture, SegmentationReader, "."),
    "16-bit-image-files": (picture_of_16_bits, lambda: SegmentationReader(size=[2, 2]), "."),
    "turned-image-files": (turned_picture, SegmentationReader, "."),
    "csv": (csv, table(labels="y", ignore=["id"]), None),
    "tsv": (delimited_tsv, table(label_separator=";", decimal=","), None),
    "json-lines": (json_lines, table(), None),
    "nested-json-lines": (written("table.jsonl"), table(), None),
    "npz": (written("table.npz"), table(), None),
    "sparse-npz": (sparse_npz, table(), None),
    "svmlight": (written("table.svm"), table(), None),
    "extreme": (xmc, table(), None),
    "parquet": (written("table.parquet"), table(labels="label:*"), None),
    "palette-masks": (palette_mask, lambda: SegmentationReader(void=[255]), "."),
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def kind(request, tmp_path_factory):
    """A folder with a valid file, its bytes, and how it is read."""
    write, reader, given_path = KINDS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    path = write(folder)
    return folder, path.relative_to(folder), path.read_bytes(), reader, given_path


BYTES = st.one_of(
    st.binary(min_size=1, max_size=4),
    st.sampled_from(
        [b"\n", b"\t", b",", b"{", b"}", b"'", b'"', b"%", b"@data\n", b"\x00", b"\xff", b"-1"]
        + [b"nan", b"1e999", b"99999999999", b"<", b"&", b"#", b"\r", b"\xef\xbb\xbf", b"B-", b"_"]
        + [b"\r\n", b"\n\n", b"\xc2\xa0", b"\xe2\x80\xa8", b"-DOCSTART-\tO\n", b"E-", b"S-"]
    ),
)


@st.composite
def changed(draw, whole):
    """The bytes of a file with a few of them inserted, replaced, left out, doubled or moved."""
    found = whole
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(found)))
        end = draw(st.integers(start, min(len(found), start + 30)))
        how = draw(st.sampled_from(["insert", "replace", "leave out", "double", "cut", "move"]))
        part = found[start:end]
        if how == "insert":
            found = found[:start] + draw(BYTES) + found[start:]
        elif how == "replace":
            found = found[:start] + draw(BYTES) + found[end:]
        elif how == "leave out":
            found = found[:start] + found[end:]
        elif how == "double":
            found = found[:end] + part + found[end:]
        elif how == "cut":
            found = found[:start]
        else:
            rest = found[:start] + found[end:]
            to = draw(st.integers(0, len(rest)))
            found = rest[:to] + part + rest[to:]
    return found


def read(folder, name, data, reader, given_path):
    """Reads a copy of the folder with other bytes in the file, up to what a batch is made of."""
    with tempfile.TemporaryDirectory() as copied:
        shutil.copytree(folder, copied, dirs_exist_ok=True)
        (Path(copied) / name).write_bytes(data)
        tensors(reader().read(str(Path(copied) / (given_path or name))))


def test_the_file_as_it_is_can_be_read(kind):
    folder, name, whole, reader, given_path = kind
    read(folder, name, whole, reader, given_path)


@many
@given(data=st.data())
def test_a_changed_file_is_read_or_refused_in_one_sentence(kind, data):
    folder, name, whole, reader, given_path = kind
    changed_bytes = data.draw(changed(whole))
    read_or_refused(lambda: read(folder, name, changed_bytes, reader, given_path))
