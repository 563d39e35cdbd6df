"""The registry of published data sets."""

import hashlib
import zipfile
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from structured_energy.data import registry
from structured_energy.data.published import DATA_SETS, DataSet


@pytest.fixture()
def toy(monkeypatch, tmp_path):
    """A registered data set of one file, in the folder of the environment variable."""
    content = b"some data"
    digest = hashlib.sha256(content).hexdigest()
    data_set = DataSet("http://127.0.0.1:9/", {"train": "toy.arff"}, {"toy.arff": digest})
    monkeypatch.setitem(registry.DATA_SETS, "toy", data_set)
    monkeypatch.setenv("STRUCTURED_ENERGY_DATA", str(tmp_path))
    monkeypatch.setattr(registry.pooch, "os_cache", lambda name: tmp_path / "cache")
    (tmp_path / "toy").mkdir()
    path = tmp_path / "toy" / "toy.arff"
    path.write_bytes(content)
    return path


def test_a_file_of_the_folder_is_found(toy):
    data = registry.resolve("data://toy/train")
    assert data.paths == [str(toy)]
    assert data.select(5) == [0, 1, 2, 3, 4]


def test_a_changed_file_is_refused(toy):
    toy.write_bytes(b"other data")
    with pytest.raises(ValueError, match="toy.arff: expected the published file with SHA-256"):
        registry.resolve("data://toy/train")


def test_without_file_and_network_it_says_so(toy):
    toy.unlink()
    with pytest.raises(ValueError, match="in the cache .* at http://127.0.0.1:9/toy.arff"):
        registry.resolve("data://toy/train")


@pytest.mark.parametrize("content", [b"some data", b"other data"])
def test_a_file_of_an_archive_is_the_published_one(toy, tmp_path, monkeypatch, content):
    toy.unlink()
    digests = DATA_SETS["toy"].sha256
    data_set = DataSet("http://127.0.0.1:9/", {"train": "toy.arff"}, digests, archive="all.zip")
    monkeypatch.setitem(registry.DATA_SETS, "toy", data_set)
    (tmp_path / "cache" / "toy").mkdir(parents=True)
    archive = tmp_path / "cache" / "toy" / "all.zip"  # as if it were downloaded
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("all/toy.arff", content)
        zipped.writestr("all/other.arff", b"")
    if content == b"some data":
        (path,) = registry.resolve("data://toy/train").paths
        assert Path(path).read_bytes() == content
        assert registry.resolve("data://toy/train").paths == [path]
    else:
        with pytest.raises(ValueError, match="all.zip: expected the published file with SHA-256"):
            registry.resolve("data://toy/train")
        assert not archive.exists()  # so that it is downloaded again
    if archive.exists():
        archive.write_bytes(b"no archive")
        Path(path).unlink()
        with pytest.raises(ValueError, match="the download failed: File is not a zip file"):
            registry.resolve("data://toy/train")


def test_slices_part_the_rows_and_depend_on_the_seed(toy):
    first = registry.resolve("data://toy/train[:90%]").select(101)
    rest = registry.resolve("data://toy/train[90%:]").select(101)
    assert sorted(first + rest) == list(range(101))
    assert len(rest) == 11
    middle = registry.resolve("data://toy/train[10%:30%]?seed=4").select(101)
    assert len(middle) == 20
    other = registry.resolve("data://toy/train[:90%]?seed=1").select(101)
    assert other != first
    assert first == registry.resolve("data://toy/train[:90%]?seed=0").select(101)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("data://bibtx/train", "one of .*'bibtex'.*got 'bibtx'"),
        ("data://bibtex/dev", "one of .*'train'.*got 'dev'"),
        ("data://bibtex", "Expected a path like"),
        ("data://bibtex/train[90]", "Expected a path like"),
        ("data://bibtex/train[90%:10%]", "percentages in order"),
        ("data://bibtex/train[:190%]", "percentages in order"),
        ("data://bibtex/train?sed=1", "Expected a path like"),
    ],
)
def test_bad_addresses(path, message):
    with pytest.raises(ConfigurationError, match=message):
        registry.resolve(path)


@pytest.mark.parametrize("name", ["a[1].txt", "a[:50%]", "a*", "what?", "a?seed=1", "plain"])
def test_an_existing_path_is_a_path(tmp_path, name):
    for other in ("a1.txt", "ab", "what!", name):
        (tmp_path / other).write_text("")
    data = registry.resolve(str(tmp_path / name))
    assert data.files() == [str(tmp_path / name)]
    assert data.select(10) == list(range(10))


@pytest.mark.parametrize("pattern", ["rows.txt", "rows[1].txt", "ro*.txt"])
def test_slices_of_paths_are_those_of_the_registry(toy, tmp_path, pattern):
    name = pattern.replace("*", "ws")
    (tmp_path / name).write_text("")
    for cut in ("[:90%]?seed=1", "[90%:]?seed=1", "[10%:30%]", "[:]", ""):
        data = registry.resolve(f"{tmp_path / pattern}{cut}")
        assert data.files() == [str(tmp_path / name)]
        assert data.select(101) == registry.resolve(f"data://toy/train{cut}").select(101)
    with pytest.raises(ConfigurationError, match="percentages in order"):
        registry.resolve(f"{tmp_path / pattern}[60%:40%]")


def test_every_data_set_is_complete():
    for name, data_set in DATA_SETS.items():
        for file in [*data_set.splits.values(), *data_set.companions]:
            assert len(data_set.sha256[file]) == 64, (name, file)


def test_all_rows_of_a_table_can_be_split_anew(tmp_path, monkeypatch):
    data_set = DATA_SETS["scene"]
    assert data_set.files["all"] == ("scene-train.arff", "scene-test.arff")
    assert data_set.files["train"] == ("scene-train.arff",)
    assert DATA_SETS["cal500"].files["all"] == ("cal500.arff",)
    assert "all" not in DATA_SETS["weizmann_horses"].files
    monkeypatch.setattr(registry, "fetch", lambda name, data_set, file: str(tmp_path / file))
    data = registry.resolve("data://scene/all[:60%]?seed=3")
    assert [path.rpartition("/")[2] for path in data.paths] == list(data_set.files["all"])
    rest = [registry.resolve(f"data://scene/all[{part}]?seed=3") for part in ("60%:80%", "80%:")]
    rows = [row for part in (data, *rest) for row in part.select(101)]
    assert sorted(rows) == list(range(101))
