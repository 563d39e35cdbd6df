"""The built documentation, made once for all tests, and a quick `allennlp`."""

from pathlib import Path

import pytest
from allennlp.common import Registrable
from command_server import begin_server
from sphinx.cmd.build import build_main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def build_docs(tmp_path_factory):
    """Builds the documentation as `make docs` does, and gives its folder."""

    def build():
        folder = tmp_path_factory.mktemp("docs")
        arguments = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / "doctrees")]
        assert build_main([*arguments, str(ROOT / "docs"), str(folder / "html")]) == 0
        return folder / "html"

    return build


@pytest.fixture(scope="session")
def html(build_docs):
    """The folder of the pages."""
    return build_docs()


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """The folder of an `allennlp` that begins at once."""
    server, folder = begin_server(tmp_path_factory.mktemp("commands"))
    yield folder
    server.kill()
    server.communicate()


@pytest.fixture(autouse=True)
def restored_registry():
    """Examples of pages register components, which later tests in the process must not find."""
    before = {base: dict(names) for base, names in Registrable._registry.items()}
    yield
    for base, names in Registrable._registry.items():
        names.clear()
        names.update(before.get(base, {}))
