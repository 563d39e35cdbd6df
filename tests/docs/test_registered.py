"""The reference shows every registered name of ours, with its parameters, as the code has them."""

import inspect
import re
import sys

import pytest
import torch
from allennlp.common import Registrable
from bs4 import BeautifulSoup

import structured_energy  # noqa: F401  (registers everything)
from structured_energy.compatibility import PATCHES
from structured_energy.data.registry import known_data_sets
from structured_energy.encoders import Encoder
from structured_energy.losses import Loss
from structured_energy.oracle_values import OracleValue
from structured_energy.samplers import Sampler
from structured_energy.startup import EARLY_PATCHES

BASES = {
    base.__name__: base
    for base, names in Registrable._registry.items()
    if any(cls.__module__.startswith("structured_energy.") for cls, _ in names.values())
}
NAMES = [
    (title, name)
    for title, base in sorted(BASES.items())
    for name, (cls, _) in sorted(Registrable._registry[base].items())
    if cls.__module__.startswith("structured_energy.")
]
# The name, a parameter, its type, and a part of what is said of it.
SAID = [
    ("loss-combination", "constituents", "list of Loss", "Two of one class need a log_key"),
    ("loss-zero", "reduction", '"sum", "mean" or "none"', "over the batch and the samples."),
    ("loss-score", "score_network", "ScoreNetwork", "given by the model"),
    ("sampler-best-of", "loss", "Loss, optional", "The loss over all samples."),
    ("sampler-constrained", "vocab", "Vocabulary", "given by AllenNLP"),
    ("structuredscore-label-attention", "encoding_size", "int", "given by the score network"),
    ("encoder-feedforward", "encoder", "Encoder, optional", "An encoder whose vectors f takes"),
    ("model-structured-energy", "score_network", "ScoreNetwork, optional", "s(x, y)."),
    ("trainer-minimax", "networks", "dictionary from str to NetworkSettings, optional", ""),
    ("trainer-minimax", "num_epochs", "int", "as in AllenNLP’s GradientDescentTrainer"),
    ("datasetreader-arff", "num_labels", "int, optional", "How many attributes are labels"),
]
# What configs are made of beside what is registered.
UNREGISTERED = ["CostAugmentedNetwork", "NetworkSettings"]


def read(folder):
    """The section of each label that links point to, of all pages."""
    sections = {}
    for path in (folder / "reference").glob("*.html"):
        soup = BeautifulSoup(path.read_text(), "html.parser")
        for place in soup.find_all(id=re.compile("^component-")):
            assert place["id"] not in sections, f"{place['id']} is there twice"
            sections[place["id"]] = place if place.name == "section" else place.parent
    return sections


@pytest.fixture(scope="module")
def sections(html):
    return read(html)


def label(title, name=""):
    """What links point to."""
    return f"component-{title}-{name}".lower().replace("_", "-").removesuffix("-")


def rows(section):
    """The table of parameters: name, type, default, what is said of it."""
    tables = section.find_all("table")
    if not tables:
        return {}
    found = [[cell.get_text() for cell in row.find_all("td")] for row in tables[-1].find_all("tr")]
    return {row[0]: row[1:] for row in found if row}


def expected(title, name):
    """The parameters and defaults of a registered constructor."""
    cls, constructor = Registrable._registry[BASES[title]][name]
    if constructor is None and cls.__init__ is object.__init__:
        return {}
    function = getattr(cls, constructor or "__init__")
    found = list(inspect.signature(function).parameters.values())
    return {parameter.name: parameter.default for parameter in found if parameter.name != "self"}


def shown(default):
    if default is inspect.Parameter.empty:
        return "required"
    if type(default).__name__ == "Lazy":
        return default._constructor.__qualname__
    return repr(default)


def test_there_are_many_names():
    assert len(NAMES) > 90
    assert len(BASES) == len({title.lower() for title in BASES})


@pytest.mark.parametrize(("title", "name"), NAMES, ids=map("-".join, NAMES))
def test_a_name_is_there_with_its_parameters(title, name, sections):
    section = sections[label(title, name)]
    cls, _ = Registrable._registry[BASES[title]][name]
    text = section.get_text()
    assert cls.__name__ in text
    file = re.search(r"modules/[\w/]+\.py", text)[0]
    assert inspect.getsourcefile(cls).endswith(file.removeprefix("modules"))
    if title == "Subcommand":
        assert f"usage: allennlp {name}" in text
        return
    table = rows(section)
    wanted = expected(title, name)
    assert table.keys() == wanted.keys()
    for parameter, default in wanted.items():
        kind, default_shown, about = table[parameter]
        assert kind
        assert default_shown == shown(default), parameter
        assert about, f"nothing is said of {parameter}; say it in the docstring of {cls.__name__}"


@pytest.mark.parametrize("title", sorted(BASES))
def test_the_table_of_names_links_to_each(title, sections):
    section = sections[label(title)]
    links = {link["href"] for link in section.select("td a.reference")}
    assert {f"#{label(title, name)}" for t, name in NAMES if t == title} <= links


@pytest.mark.parametrize("title", UNREGISTERED)
def test_what_is_not_registered_is_there(title, sections):
    assert rows(sections[label(title)])


@pytest.mark.parametrize(
    ("name", "parameter", "kind", "about"), SAID, ids=[f"{said[0]}-{said[1]}" for said in SAID]
)
def test_types_and_what_is_said(name, parameter, kind, about, sections):
    found = rows(sections[label(name)])[parameter]
    assert found[0] == kind
    assert about.replace("’", "'") in found[2]


def test_formulas_stay_as_they_are(sections):
    text = sections["component-loss-pseudo-likelihood"].get_text()
    assert (
        "−Σ_p log p(y*_p | y*_−p, x), with p(y_p = a | y_−p, x) ∝ exp s(x, y with y_p = a)" in text
    )
    text = sections["component-loss-margin-based"].get_text()
    assert "slack-rescaled: w·D · max(0, 1 − s(x, y*) + s(x, ŷ))" in text
    assert len(sections["component-loss-margin-based"].find_all("li")) == 4


def test_data_sets_are_there(html):
    text = BeautifulSoup((html / "reference" / "data.html").read_text(), "html.parser").get_text()
    for name, data_set in known_data_sets().items():
        for split in data_set.files:
            assert f"data://{name}/{split}" in text


def test_a_new_name_joins(build_docs):
    class NewLoss(Loss):
        """It is 17 for every proposal.

        # Parameters

        number : `int`
            Not 17.
        """

        def __init__(self, number: int = 18) -> None:
            super().__init__()
            self.number = number

        def compute(self, x, truth, sample, mask):
            return torch.full(sample.y.shape[:2], 17.0)

    NewLoss.__module__ = "structured_energy.losses.loss"
    Loss.register("of-a-test")(NewLoss)
    try:
        found = read(build_docs())["component-loss-of-a-test"]
    finally:
        del Registrable._registry[Loss]["of-a-test"]
    assert "It is 17 for every proposal." in found.get_text()
    assert rows(found) == {"number": ["int", "18", "Not 17."]}


def test_doctests_of_the_extension(html):
    import doctest

    for module in ("readable", "docstrings"):
        assert doctest.testmod(sys.modules[module]).failed == 0


def test_signatures_are_those_of_the_code(html):
    soup = BeautifulSoup((html / "api.html").read_text(), "html.parser")
    for function in (Loss.compute, Sampler.propose, Encoder.encode, OracleValue.compute):
        place = soup.find(id=f"{function.__module__.rpartition('.')[0]}.{function.__qualname__}")
        shown = [name.get_text() for name in place.select(".sig-param > .n:first-child")]
        assert shown == list(inspect.signature(function).parameters)[1:], function


def test_every_patch_is_listed(html):
    soup = BeautifulSoup((html / "reference" / "patches.html").read_text(), "html.parser")
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in soup.find_all("tr")]
    listed = {row[0]: row[1:] for row in rows if row}
    assert listed.keys() == {patch.place for patch in (*PATCHES, *EARLY_PATCHES)}
    for patch in (*PATCHES, *EARLY_PATCHES):
        assert listed[patch.place][1].replace("’", "'") == patch.why.replace("`", "")
    replacement, _ = listed["allennlp.commands.train.TrainModel.finish"]
    assert replacement == "compatibility.runs.finish"
    assert listed["allennlp.common.tqdm.Tqdm.tqdm"][0] == "compatibility.progress.tqdm"
