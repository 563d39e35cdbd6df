"""The table of search errors, against outputs whose score is known."""

import functools
import itertools
import sys

import numpy as np
import pytest
import torch
from component_names import names_of

from experiments import search_error
from structured_energy.sampler_output import SamplerOutput
from structured_energy.samplers import Sampler


class Fixed(Sampler):
    """Proposes what it is given."""

    def __init__(self, output_space, y):
        super().__init__(output_space)
        self.y = y

    def propose(self, x, truth, mask=None):
        return SamplerOutput(self.y)


@pytest.fixture(scope="module")
def case():
    return search_error.random_case("independent", coupling=0.0, steps=1)


def test_the_best_of_independent_labels_is_their_positive_potentials(case):
    scores = search_error.all_scores(case.score_network, case.x, search_error.LABELS)
    assert scores.shape == (search_error.INPUTS, 2**search_error.LABELS)
    potentials = case.score_network.potentials(case.x).detach()
    torch.testing.assert_close(scores.amax(dim=1), potentials.clamp(min=0).sum(dim=1))
    best = (potentials > 0).float().unsqueeze(1)
    found = search_error.search_error(Fixed(case.output_space, 0.2 + 0.6 * best), case, scores)
    assert found == pytest.approx((0, 1), abs=1e-6)


def test_the_error_is_what_is_missing_in_standard_deviations(case):
    scores = search_error.all_scores(case.score_network, case.x, search_error.LABELS)
    potentials = case.score_network.potentials(case.x).detach().numpy().astype(np.float64)
    outputs = np.array(list(itertools.product([0, 1], repeat=search_error.LABELS)))
    everything = potentials @ outputs.T
    proposed = np.zeros((search_error.INPUTS, 2, search_error.LABELS))
    proposed[:, 1, :3] = 1
    found = np.maximum(0, potentials[:, :3].sum(1))  # the better one counts
    expected = (everything.max(1) - found) / everything.std(1, ddof=1)
    y = torch.tensor(proposed, dtype=torch.float32)
    error, share = search_error.search_error(Fixed(case.output_space, y), case, scores)
    assert error == pytest.approx(expected.mean(), rel=1e-4)
    assert share == pytest.approx((expected < 1e-4).mean())


def test_every_sampler_that_searches_has_a_row():
    types = {config["type"] for config in search_error.SAMPLERS.values()}
    assert types | search_error.WITHOUT_SEARCH == set(names_of(Sampler))
    assert not types & search_error.WITHOUT_SEARCH


def test_the_page_has_the_table_and_its_command(tmp_path, monkeypatch, capsys):
    quick = functools.partial(search_error.random_case, steps=1)
    monkeypatch.setattr(search_error, "random_case", quick)
    page = tmp_path / "page.md"
    monkeypatch.setattr(sys, "argv", ["search_error.py", "--write", str(page)])
    search_error.main()
    text = page.read_text()
    assert "python -m experiments.search_error --write" in text
    for name in search_error.SAMPLERS:
        cells = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
        assert cells.count("%)") == 3
    exact = "gradient-based-inference, mirror descent, 60 steps"
    assert f"| {exact} | 0.000 (100 %) |" in text
    assert "strongly" in capsys.readouterr().out


def test_a_run_that_does_not_fit_is_named(trained_run):
    run = trained_run(
        """{
          model: {
            type: 'structured-energy',
            output_space: 'binary',
            task_network: {
              encoder: {
                type: 'feedforward',
                feedforward: {num_layers: 1, hidden_dims: 4, activations: 'relu'},
              },
            },
            sampler: {type: 'inference-network', loss: 'cross-entropy'},
          },
          trainer: {type: 'minimax', num_epochs: 1, optimizer: 'adam'},
        }"""
    )
    with pytest.raises(SystemExit, match="Expected a run with a score network over at most 12"):
        search_error.trained_case(run)
