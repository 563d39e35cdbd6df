"""Harmful archives and checkpoints: each ends in an error and does no harm."""

import io
import json
import pickle
import shutil
import tarfile
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model
from allennlp.models.archival import load_archive
from allennlp.nn import Activation, Initializer
from forked_command import allennlp
from snippets import CROSS_ENTROPY

from structured_energy.testing import train_snippet


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    train_snippet(CROSS_ENTROPY, folder, {"trainer": {"num_epochs": 1}})
    return folder / "run"


class Harm:
    """An object whose pickle creates a file when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture()
def harm(tmp_path):
    """A file that only harmful code creates."""
    path = tmp_path / "harm"
    with (tmp_path / "test.pickle").open("wb") as file:
        pickle.dump(Harm(path), file)
    pickle.loads((tmp_path / "test.pickle").read_bytes()).close()
    assert path.exists()  # the pickle is harmful
    path.unlink()
    yield path
    assert not path.exists()


def packed(trained, path, config=None, weights=None, members=()):
    """Write an archive of the run with another config, other weights, or more members."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(trained / "vocabulary", "vocabulary")
        text = (trained / "config.json").read_text() if config is None else config
        weights = (trained / "best.th").read_bytes() if weights is None else weights
        for name, data in (("config.json", text.encode()), ("weights.th", weights)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def changed(trained, **model):
    config = json.loads((trained / "config.json").read_text())
    config["model"].update(model)
    return json.dumps(config)


def member(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = str(link)
    return info


def test_an_honest_archive_is_loaded(trained, tmp_path):
    path = packed(trained, tmp_path / "model.tar.gz")
    for archive in (load_archive(path), load_archive(trained / "model.tar.gz")):
        weights = torch.load(trained / "best.th")
        for name, value in archive.model.state_dict().items():
            assert torch.equal(value, weights[name])


MEMBERS = {
    "above": lambda harm: [(member(f"../{harm.name}"), b"x")],
    "absolute-link": lambda harm: [(member("link", tarfile.SYMTYPE, harm), b"")],
    "link-above": lambda harm: [(member("link", tarfile.SYMTYPE, "../../.."), b"")],
    "through-a-link": lambda harm: [
        (member("link", tarfile.SYMTYPE, harm.parent), b""),
        (member(f"link/{harm.name}"), b"x"),
    ],
    "hard-link": lambda harm: [(member("link", tarfile.LNKTYPE, "/etc/passwd"), b"")],
    "device": lambda harm: [(member("device", tarfile.CHRTYPE), b"")],
}


@pytest.mark.parametrize("kind", sorted(MEMBERS))
def test_members_stay_in_their_folder(trained, tmp_path, harm, kind):
    path = packed(trained, tmp_path / "model.tar.gz", members=MEMBERS[kind](harm))
    with pytest.raises(ValueError, match="model.tar.gz: expected an archive whose members stay"):
        load_archive(path)


def test_an_absolute_path_is_extracted_inside(trained, tmp_path, harm):
    path = packed(trained, tmp_path / "model.tar.gz", members=[(member(str(harm)), b"x")])
    load_archive(path)  # like tar, without the leading slash


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_weights_are_data(trained, tmp_path, harm):
    buffer = io.BytesIO()
    torch.save({"weight": Harm(harm)}, buffer)
    for weights in (pickle.dumps(Harm(harm)), buffer.getvalue()):
        path = packed(trained, tmp_path / "model.tar.gz", weights=weights)
        with pytest.raises(pickle.UnpicklingError):
            load_archive(path)


@pytest.mark.parametrize("name", ["model", "training"])
def test_checkpoints_are_data(trained, tmp_path, harm, name):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (checkpoint,) = run.glob(f"{name}_state_e*.th")
    torch.save({"state": Harm(harm)}, checkpoint)
    result = allennlp("train", run / "config.json", "-s", run, "--recover", cwd=tmp_path)
    assert result.returncode != 0 and "Weights only load failed" in result.stderr


def test_an_initializer_reads_data(tmp_path, harm):
    torch.save({"state": Harm(harm)}, tmp_path / "weights.th")
    params = {"type": "pretrained", "weights_file_path": str(tmp_path / "weights.th")}
    with pytest.raises(pickle.UnpicklingError):
        Initializer.from_params(Params(params))


@pytest.mark.parametrize("base", ["output_space", "sampler", "task_network", "initializer"])
def test_a_config_starts_no_process(trained, tmp_path, harm, base):
    process = {"type": "subprocess.Popen", "args": ["touch", str(harm)]}
    value = {"regexes": [[".*", process]]} if base == "initializer" else process
    path = packed(trained, tmp_path / "model.tar.gz", config=changed(trained, **{base: value}))
    if base == "initializer":  # AllenNLP ignores the initializer of an archive
        load_archive(path)
        with pytest.raises(ConfigurationError, match="got 'subprocess.Popen', which is neither"):
            Initializer.from_params(Params(dict(process)))
    else:
        with pytest.raises(ConfigurationError, match="got 'subprocess.Popen', which is neither"):
            load_archive(path)
    with pytest.raises(ConfigurationError, match="Expected the name of a Model, or the path to"):
        Model.from_params(Params(dict(process)))


def test_components_are_still_named_by_their_path():
    path = "structured_energy.models.StructuredEnergyModel"
    assert Model.by_name(path) is Model.by_name("structured-energy")
    assert Activation.by_name("torch.nn.ReLU") is torch.nn.ReLU


def test_a_config_reads_no_file_of_the_machine(trained, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("password")
    config = f"{{ model: importstr '{secret}' }}"
    path = packed(trained, tmp_path / "model.tar.gz", config=config)
    with pytest.raises(ValueError, match="expected a config.json .* plain JSON") as raised:
        load_archive(path)
    assert "password" not in str(raised.value)


def test_a_config_loads_no_code_of_a_hub(trained, tmp_path):
    embedder = {"transformer_kwargs": {"trust_remote_code": True}}
    config = changed(trained, task_network={"embedders": [embedder]})
    path = packed(trained, tmp_path / "model.tar.gz", config=config)
    place = "model.task_network.embedders.0.transformer_kwargs.trust_remote_code"
    with pytest.raises(ValueError, match=f"runs no code of others, got {place}"):
        load_archive(path)


def test_a_refused_archive_leaves_no_files(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    Path(tmp_path / "temporary").mkdir()
    path = packed(trained, tmp_path / "model.tar.gz", config="{")
    with pytest.raises(ValueError, match="plain JSON"):
        load_archive(path)
    assert not list((tmp_path / "temporary").iterdir())
