"""The plain loop that training on texts is timed against computes what the framework does."""

import pytest
import torch
from allennlp.data import Batch
from shipped import with_tiny_transformer

from benchmarks import text_speed
from benchmarks.text_loops import Documents, TextLoop
from structured_energy.testing import write_texts

CPU = torch.device("cpu")
COUNT = 70


@pytest.fixture(params=[True, False], ids=["frozen", "fine-tuned"])
def sides(request, tmp_path):
    """Return a training of the framework and the loop of the same computation."""
    path = write_texts(tmp_path, "train", COUNT, seed=0)
    config = text_speed.text_config(path, request.param, 3, CPU)
    config = with_tiny_transformer(config, tmp_path)
    run = text_speed.unprepared(config, str(tmp_path / "run"))
    documents = text_speed.documents_of(config)
    loop = TextLoop(run.model.task_network, config, documents, request.param, CPU)
    for part in (*run.model.modules(), *loop.transformer.modules(), *loop.head):
        if isinstance(getattr(part, "p", None), float):  # the dropout
            part.p = 0.0
        if isinstance(getattr(part, "dropout_prob", None), float):
            part.dropout_prob = 0.0
    return run, loop


def batch_of(run, rows):
    """Return the documents `rows` as the framework hands them to the model."""
    instances = list(run.trainer.data_loader.iter_instances())
    batch = Batch([instances[row] for row in rows.tolist()])
    batch.index_instances(run.model.vocab)
    return batch.as_tensor_dict()


def test_both_sides_have_the_same_pieces_encodings_and_labels(sides):
    run, loop = sides
    rows = torch.arange(COUNT)
    batch = batch_of(run, rows)
    tokens = batch["x"]["tokens"]
    for ids, mask, own in zip(tokens["token_ids"], tokens["mask"], loop.pieces, strict=True):
        assert torch.equal(ids[mask], own)
    assert torch.equal(batch["labels"].float(), loop.y)
    encoder = run.model.task_network.encoder.encoder.eval()
    with torch.no_grad():
        raw = encoder.encoder if loop.is_frozen else encoder
        torch.testing.assert_close(raw(batch["x"]), loop.encode(rows))
        if loop.is_frozen:
            run.model.prepare(run.trainer.data_loader)
            torch.testing.assert_close(encoder(batch["x"]), loop.encodings(), rtol=1e-4, atol=1e-4)


def test_both_sides_take_the_same_steps(sides):
    run, loop = sides
    model, trainer = run.model.train(), run.trainer
    model.prepare(trainer.data_loader)
    losses = []
    for rows in [torch.arange(40), torch.arange(30, COUNT), torch.arange(40)]:
        trainer.optimizer.zero_grad()
        loss = model(**batch_of(run, rows))["loss"]
        loss.backward()
        trainer.optimizer.step()
        losses.append((loss.item(), loop.train_batch(rows).item()))
    ours, other = zip(*losses, strict=True)
    assert ours == pytest.approx(other, rel=1e-4)
    assert len(set(ours)) == len(ours)
    projection = run.model.task_network.projection
    torch.testing.assert_close(loop.head[-1].weight, projection.weight, rtol=1e-3, atol=1e-5)


def test_an_epoch_of_the_loop_is_a_pass_over_the_documents(sides):
    _, loop = sides
    assert sorted(torch.cat(list(loop.batches())).tolist()) == list(range(COUNT))
    loop.train_epoch()


def test_each_repeat_encodes_anew(sides):
    run, loop = sides
    if not loop.is_frozen:
        pytest.skip("nothing is stored")
    encoder = run.model.task_network.encoder.encoder.encoder
    assert encoder.num_bytes == 0
    text_speed.train_epoch(run, 0)
    texts = len({tuple(piece.tolist()) for piece in loop.pieces})
    vectors = texts * encoder.output_size * 4
    assert vectors < encoder.num_bytes < 2 * vectors + 500 * texts
    assert loop.encodings().nbytes == COUNT * encoder.output_size * 4


def test_other_documents_of_the_loop_are_refused(sides):
    run, loop = sides
    fewer = Documents(loop.pieces[1:], loop.y[1:])
    with pytest.raises(ValueError, match="Expected the same tokens on both sides"):
        text_speed.check_tokens(run, fewer)
