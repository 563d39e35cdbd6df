"""Networks that never predict for the data that they were trained on."""

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from snippets import CROSS_ENTROPY
from two_workers import results_of

from structured_energy.encoders import Encoder
from structured_energy.output_spaces import OutputSpace
from structured_energy.task_networks import TaskNetwork
from structured_energy.testing import make_test_problem, train_snippet
from structured_energy.workers import average_gradients

FEEDFORWARD = "{num_layers: 1, hidden_dims: 5, activations: 'softplus'}"
ENCODER = f"{{type: 'feedforward', feedforward: {FEEDFORWARD}}}"
CONFIG = f"{{type: 'cross-fitted', encoder: {ENCODER}, num_folds: 3}}"


@pytest.fixture
def problem():
    return make_test_problem()


@pytest.fixture
def network(problem):
    torch.manual_seed(0)
    return problem.build(TaskNetwork, CONFIG)


def inputs(number, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(number, 5, dtype=torch.float64, generator=generator)


def test_an_instance_changes_every_network_but_that_of_its_fold(network):
    x = inputs(60)
    network.train()
    parts = [[network.encoder, network.projection]] + [
        list(part) for part in zip(network.encoders, network.projections, strict=True)
    ]
    folds = (network.hashes(x) >> 40) % 3
    assert set(folds.tolist()) == {0, 1, 2}
    for fold in range(3):
        reached = set()
        for _ in range(50):
            network.zero_grad()
            network(x[folds == fold]).sum().backward()
            reached |= {
                k
                for k, modules in enumerate(parts)
                if any(
                    p.grad is not None and bool(p.grad.any())
                    for module in modules
                    for p in module.parameters()
                )
            }
        assert reached == {0, 1, 2} - {fold}


def test_an_instance_of_the_training_data_has_the_logits_of_the_held_out_network(network):
    x, other = inputs(30), inputs(30, seed=1)
    network.train()
    network(x)
    network.eval()
    together = network(torch.cat([x, other]))
    folds = (network.hashes(x) >> 40) % 3
    each = torch.stack([network._of_network(k, x) for k in range(3)])
    torch.testing.assert_close(together[:30], each[folds, torch.arange(30)])
    mean = torch.stack([network._of_network(k, other) for k in range(3)]).sigmoid().mean(0)
    torch.testing.assert_close(together[30:].sigmoid(), mean)


def test_the_instances_of_the_training_data_are_saved(problem, network):
    x = inputs(30)
    network.train()
    network(x)
    loaded = problem.build(TaskNetwork, CONFIG)
    loaded.load_state_dict(network.state_dict())
    torch.testing.assert_close(loaded.eval()(x), network.eval()(x))


def test_each_network_takes_its_share_of_the_batches_and_the_count_is_saved(problem, network):
    drawn = [network._draw_network() for _ in range(300)]
    assert all(70 < drawn.count(k) < 130 for k in range(3))
    loaded = problem.build(TaskNetwork, CONFIG)
    loaded.load_state_dict(network.state_dict())
    assert [network._draw_network() for _ in range(20)] == [
        loaded._draw_network() for _ in range(20)
    ]
    state = network.state_dict()
    del state["_extra_state"]
    fresh = problem.build(TaskNetwork, CONFIG)
    fresh.load_state_dict(state)  # of an earlier version
    assert fresh.num_drawn == 0


def test_workers_with_batches_of_other_sizes_train_the_same_networks_on_the_same_folds(tmp_path):
    def work(rank):
        torch.manual_seed(0)
        network = make_test_problem().build(TaskNetwork, CONFIG.replace("5,", "5, dropout: 0.5,"))
        network.train()
        x = inputs(20)
        folds = (network.hashes(x) >> 40) % 3
        trained = []
        for size in (4, 6, 5, 7, 8, 4, 3, 9):
            network.zero_grad()
            rows = slice(size) if rank else slice(10, 18)
            network(x[rows]).sum().backward()
            average_gradients(list(network.parameters()))
            parts = [network.projection, *network.projections]
            trained.append([part.weight.grad is not None for part in parts])
        return folds, trained, network.projection.weight.grad

    (folds, trained, _), (other_folds, other_trained, _) = results_of(work, tmp_path)
    assert torch.equal(folds, other_folds)
    assert trained == other_trained
    assert all(sum(of_batch) == 1 for of_batch in trained)
    assert {of_batch.index(True) for of_batch in trained} == {0, 1, 2}


def test_what_does_not_fit_is_refused(problem):
    with pytest.raises(ConfigurationError, match="at least 2 folds .* got num_folds 1"):
        problem.build(TaskNetwork, CONFIG.replace("num_folds: 3", "num_folds: 1"))
    with pytest.raises(ConfigurationError, match="the output 'logits' in the encoder"):
        problem.task_network = problem.build(TaskNetwork, CONFIG)
        problem.build(Encoder, "'task-network'")


def test_the_training_data_are_known_before_the_first_step(tmp_path):
    over = {
        "model": {"task_network": {"type": "cross-fitted", "num_folds": 3}},
        "data_loader": {"batch_size": 5, "batches_per_epoch": 1},
        "trainer": {"num_epochs": 1},
    }
    model = train_snippet(CROSS_ENTROPY, tmp_path, over)
    reader = DatasetReader.from_params(Params({"type": "arff"}))
    x = torch.stack(
        [
            instance.fields["x"].as_tensor(instance.fields["x"].get_padding_lengths())
            for instance in indexed(reader, tmp_path / "data" / "problem-train.arff", model.vocab)
        ]
    )
    assert len(x) == 24
    assert sorted(model.task_network.seen.tolist()) == sorted(model.task_network.hashes(x).tolist())


def indexed(reader, path, vocab):
    for instance in reader.read(str(path)):
        instance.index_fields(vocab)
        yield instance


def test_texts_have_folds_whatever_their_padding():
    vocab = Vocabulary()
    for namespace, count in (("tokens", 9), ("labels", 3)):
        for number in range(count):
            vocab.add_token_to_namespace(f"{namespace}_{number}", namespace)
    embedder = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 4}}}
    params = {"type": "cross-fitted", "encoder": {"type": "text", "embedder": embedder}}
    space = OutputSpace.from_params(Params({"type": "binary"}), vocab=vocab)
    torch.manual_seed(0)
    network = TaskNetwork.from_params(Params(params), vocab=vocab, output_space=space)
    words = torch.randint(2, 11, (40, 6))
    words[::3, 4:] = 0
    x = {"tokens": {"tokens": words}}
    wider = {"tokens": {"tokens": torch.nn.functional.pad(words, (0, 5))}}
    assert torch.equal(network.hashes(x), network.hashes(wider))
    assert len(network.hashes(x).unique()) == len(words.unique(dim=0))
    network.train()(x)
    network.eval()
    folds = (network.hashes(x) >> 40) % 5
    assert len(folds.unique()) == 5
    each = torch.stack([network._of_network(k, x) for k in range(5)])
    torch.testing.assert_close(network(wider), each[folds, torch.arange(40)])


@pytest.mark.parametrize("training", [True, False])
def test_logits_are_single_in_half_precision(network, training):
    network.float().train(training)
    known = inputs(30).float()
    network.add(network.hashes(known))
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(torch.cat([known, inputs(30, seed=1).float()]))
    assert logits.dtype is torch.float32
