"""The documentation builds without a warning, and every example in it is executed.

A block that a sentence introduces as a file, "Save this as `mine.jsonnet`:", is saved under that
name. Commands that set up an environment or train on published data are not executed;
`documented_commands.py` checks that the programs accept their arguments.
"""

import contextlib
import doctest
import io
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.data import DataLoader, DatasetReader
from allennlp.models import Model
from allennlp.training import Trainer, TrainerCallback
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer
from bs4 import BeautifulSoup
from documented_commands import check_commands, why_not_executed
from markdown_it import MarkdownIt
from tiny_transformer import write_transformer

from structured_energy.configs import component_faults, evaluate_snippet
from structured_energy.data import SegmentationReader
from structured_energy.samplers import CostAugmentedNetwork
from structured_energy.testing import data_config, make_test_problem, write_images

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted({*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"})
# The pages of figures: each block is the command that produced the figures below it.
MEASURED = {DOCS / f"{name}.md" for name in ("results", "speed", "growth", "search_error")}
DIRECTIVES = (
    "registered",
    "data-sets",
    "methods",
    "patches",
    "eval-rst",
    "toctree",
    "literalinclude",
    "include",
    "figure",
)
LANGUAGES = ("bash", "python", "jsonnet", "text")
# What the repository has, and a reader's commands begin from.
REACHABLE = (".allennlp_plugins", "benchmarks", "examples", "experiments", "training_configs")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"


def blocks(page):
    """The language, the text and the line of each block of a page."""
    for language, text, line, _ in blocks_and_files(page):
        yield language, text, line


def blocks_and_files(page):
    """The same, and the file that the sentence before the block names, or None."""
    before = ""
    for token in MarkdownIt().enable("table").parse(page.read_text()):
        if token.type == "fence":
            file = re.search(r"`([\w./-]+\.\w+)`:$", before)
            yield token.info.strip(), token.content, token.map[0] + 1, file and file[1]
        if token.type in ("inline", "fence", "heading_close"):
            before = token.content


def relative(path):
    return str(path.relative_to(ROOT))


def run_bash(text, folder, programs):
    """What a block of commands prints, with the `allennlp` of a folder."""
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert result.returncode == 0, f"{text}\n{result.stdout[-3000:]}"
    return result.stdout


def check_output(shown, output):
    """Whether an excerpt is in the output: `...` is any text, a number any number, spaces any."""
    parts = []
    for line in shown.splitlines():
        if line.strip() == "...":
            parts.append(r"[\s\S]*?")
            continue
        words = [re.sub(NUMBER, "0", word) for word in line.split()]
        words = [re.escape(word).replace("0", NUMBER) for word in words]
        parts.append(r"\s*" + r"\s+".join(words) + r"\s*")
    assert re.search("".join(parts), output), f"not printed:\n{shown}\n{output[-6000:]}"


def run_python(text, names, where):
    """Executes a block in the names of its page; one with prompts is a doctest."""
    if ">>>" not in text:
        exec(compile(text, where, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(text, names, where, where, 0)
    said = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    with contextlib.redirect_stdout(said):
        failed, _ = runner.run(test, out=said.write, clear_globs=False)
    names.update(test.globs)
    assert failed == 0, said.getvalue()


def small_loader(folder):
    """The training data of a problem."""
    config = data_config(folder)
    reader = DatasetReader.from_params(Params(config["dataset_reader"]))
    loader = Params(config["data_loader"])
    return DataLoader.from_params(loader, reader=reader, data_path=config["train_data_path"])


def small_model():
    """The model of the page on the model."""
    (text,) = [text for kind, text, _ in blocks(DOCS / "reference/model.md") if kind == "jsonnet"]
    config = json.loads(evaluate_snippet("model", text))
    return Model.from_params(Params(config), vocab=make_test_problem().vocab)


# What AllenNLP, the trainer or a sampler gives to the constructors of a base class.
WEIGHT = torch.nn.Parameter(torch.zeros(2))
GIVEN = {
    CostAugmentedNetwork: lambda folder: {
        "output_size": 4,
        "output_space": make_test_problem().output_space,
    },
    DataLoader: lambda folder: {
        "reader": SegmentationReader(),
        "data_path": str(write_images(folder, "train", 40)),
    },
    LearningRateScheduler: lambda folder: {"optimizer": torch.optim.SGD([WEIGHT], lr=0.1)},
    Optimizer: lambda folder: {"model_parameters": [("weight", WEIGHT)]},
    Trainer: lambda folder: {
        "model": small_model(),
        "data_loader": small_loader(folder),
        "serialization_dir": str(folder),
    },
    TrainerCallback: lambda folder: {"serialization_dir": str(folder)},
}


def build(base, text, folder):
    """Builds the component of a config, in a problem in which it serves."""
    config = evaluate_snippet("config", text)
    if base in GIVEN:
        return base.from_params(Params(json.loads(config)), **GIVEN[base](folder))
    errors = []
    for space in ("binary", "categorical", "image"):
        try:
            return make_test_problem(space=space).build(base, config)
        except Exception as error:
            errors.append(f"{space}: {error}")
    raise AssertionError("\n".join([text, *errors]))


def bases_after(page):
    """For each block, by its line, the base class that the next directive of the page names."""
    base, found = None, {}
    for language, _, line in reversed(list(blocks(page))):
        if language.startswith("{registered}"):
            module, _, name = language.split()[1].rpartition(".")
            base = getattr(import_module(module), name)
        found[line] = base
    return found


def test_it_builds_without_a_warning(html):
    assert (html / "index.html").exists()
    assert (html / "reference" / "losses.html").exists()


def test_it_loads_nothing_from_elsewhere(html):
    for page in html.rglob("*.html"):
        loaded = re.findall(
            r"<(?:script|link|img)\b[^>]*(?:src|href)=\"(\w+:)?//", page.read_text()
        )
        assert loaded == [], page
    for sheet in html.rglob("*.css"):
        assert not re.search(r"url\([\"']?(\w+:)?//|@import", sheet.read_text()), sheet


def test_there_are_pages():
    names = {"README.md", "CONTRIBUTING.md", "docs/tutorial.md", "docs/reference/losses.md"}
    assert names <= {*map(relative, PAGES)}
    assert all(page.exists() for page in MEASURED)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_block_is_one_that_is_executed(page):
    for language, _, line, file in blocks_and_files(page):
        name = re.match(r"\{([\w-]+)\}", language)
        is_known = name[1] in DIRECTIVES if name else file or language in LANGUAGES
        assert is_known, f"line {line}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_examples_of_page(page, programs, tmp_path, monkeypatch):
    for name in REACHABLE:
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names, output, bases = {"__name__": "__main__"}, "", bases_after(page)
    for language, text, line, file in blocks_and_files(page):
        where = f"{relative(page)}, line {line}"
        if language.startswith("{"):
            continue
        if file:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text(text)
        elif language == "bash":
            if page in MEASURED or why_not_executed(text):
                check_commands(text, tmp_path / "commands")
            else:
                output = run_bash(text, tmp_path, programs)
        elif language == "text":
            check_output(text, output)
        elif language == "python":
            run_python(text, names, where)
        elif language == "jsonnet":
            assert bases[line] is not None, f"{where}: of which base class?"
            assert component_faults(bases[line], json.loads(evaluate_snippet("block", text))) == []
            # A tiny transformer stands for the weights of packages, which need not be installed.
            if "package://" in text:
                tiny = write_transformer(tmp_path / "tiny", ["word"])
                text = re.sub(r"package://[\w/]+", tiny, text)
            assert isinstance(build(bases[line], text, tmp_path / "built"), bases[line]), where


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=relative)
def test_links_of_a_page_of_the_repository_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    assert links
    assert [link for link in links if ":" not in link and not (ROOT / link).exists()] == []


def test_the_readme_is_short_and_starts_with_the_two_commands():
    text = (ROOT / "README.md").read_text()
    assert len(text.split()) <= 1200
    assert "make demo" in text[:1800]
    assert "make test" in text[:1800]


def test_every_part_of_the_package_is_in_the_table_of_layers():
    layers = (DOCS / "architecture.md").read_text().partition("## Layers")[2]
    parts = {path.parent.name for path in (ROOT / "modules").glob("*/__init__.py")}
    assert {part for part in parts if f"`{part}`" not in layers} == set()


def test_images_of_the_repository_are_small_and_used():
    text = "".join(page.read_text() for page in PAGES)
    images = [path for path in (DOCS / "images").iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in images) < 1e6
    assert [path.name for path in images if f"images/{path.name}" not in text] == []


def test_links_within_the_pages_lead_somewhere(html):
    pages = {path: BeautifulSoup(path.read_text(), "html.parser") for path in html.rglob("*.html")}
    anchors = {path: {tag["id"] for tag in soup.find_all(id=True)} for path, soup in pages.items()}
    for path, soup in pages.items():
        for link in soup.select("article a[href], article img[src]"):
            target, _, anchor = (link.get("href") or link["src"]).partition("#")
            if ":" in target:
                continue
            file = (path.parent / target).resolve() if target else path
            assert file.exists(), (path.name, target)
            if anchor and file in pages:
                assert anchor in anchors[file], (path.name, target, anchor)


def test_an_excerpt_that_is_not_printed_fails():
    check_output("a 1.5\n...\nb +2e-3", "x\na  3\ny\nz\n b 7\n")
    with pytest.raises(AssertionError):
        check_output("a 1.5\nb 2", "a 1.5\nc\nb 2")


@pytest.mark.parametrize(
    "wrong",
    [
        "make no-such-target",
        "python -m benchmarks.growth --no-such-option 3",
        "allennlp train training_configs/multi_label/bibtex/no_such_method.jsonnet -s RUN",
        "allennlp train --no-such-option",
        "pip install another-package",
        "unknown-program",
    ],
)
def test_a_command_that_is_not_executed_has_to_exist(wrong, tmp_path):
    with pytest.raises(AssertionError):
        check_commands(wrong, tmp_path / "commands")
