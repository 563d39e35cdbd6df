"""The built documentation, made once for all tests."""

from pathlib import Path

import pytest
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
