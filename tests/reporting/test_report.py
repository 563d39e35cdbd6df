"""The report of runs: what is in it, that it needs nothing else, and that a browser shows it."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from allennlp.data.samplers import BucketBatchSampler
from sklearn.metrics import f1_score

from structured_energy.environment import read_environment
from structured_energy.reporting import (
    Run,
    diagnose,
    hardest,
    load_data,
    load_model,
    write_report,
)
from structured_energy.testing import train_snippet, write_chunks, write_conllu, write_images

FEEDFORWARD = "{num_layers: 1, hidden_dims: 8, activations: 'softplus'}"
SETS = f"""{{
  model: {{
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'per-instance-f1',
    score_network: {{encoder: {{type: 'feedforward', feedforward: {FEEDFORWARD}}}}},
    loss: 'value-regression',
    sampler: 'random',
    inference: {{type: 'gradient-based-inference', num_steps: 3, start: 'uniform'}},
    metrics: ['example-f1'],
    decoder: 'threshold',
  }},
  trainer: {{
    type: 'minimax', num_epochs: 3, optimizer: {{type: 'adamw', lr: 0.01}},
    validation_metric: '+example_f1',
  }},
}}"""
TAGS = """{
  dataset_reader: { type: 'tagging-conll', conllu: true, token_column: 1, tag_column: 3 },
  data_loader: { type: 'multiprocess' },
  validation_data_loader: {
    batch_sampler: { type: 'bucket', batch_size: 4, sorting_keys: ['x'] },
  },
  model: {
    type: 'structured-energy',
    output_space: 'categorical',
    task_network: {
      encoder: {
        type: 'tokens',
        embedder: { token_embedders: { tokens: { type: 'embedding', embedding_dim: 5 } } },
        encoder: { type: 'lstm', input_size: 5, hidden_size: 6 },
      },
    },
    sampler: { type: 'inference-network', loss: 'cross-entropy' },
    metrics: ['tag-accuracy'],
  },
  trainer: { type: 'minimax', num_epochs: 1, optimizer: { type: 'adam', lr: 0.01 } },
}"""
IMAGES = """{
  dataset_reader: { type: 'segmentation-npy' },
  model: {
    type: 'structured-energy',
    output_space: 'binary',
    oracle_value: 'iou',
    task_network: { encoder: { type: 'u-net', hidden: [4, 4] } },
    sampler: { type: 'inference-network', loss: 'cross-entropy' },
    metrics: ['iou'],
  },
  trainer: { type: 'minimax', num_epochs: 1, optimizer: { type: 'adam', lr: 0.01 } },
}"""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def trained(snippet, folder, write=None):
    over = {"test_data_path": None}
    if write is not None:
        for part in ("train", "validation"):
            over[f"{part}_data_path"] = str(write(folder, part, 11, seed=len(part)))
    train_snippet(snippet, folder, over)
    return folder / "run"


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    return trained(SETS, tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def tags(tmp_path_factory):
    return trained(TAGS, tmp_path_factory.mktemp("tags"), write_conllu)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return trained(IMAGES, tmp_path_factory.mktemp("images"), write_images)


def found_in(run, count):
    model = load_model(run)
    data = load_data(run, model.vocab)
    return model, data, hardest(model, data, diagnose(model, data), count)


def test_the_hardest_sets_of_labels_are_those_of_scikit_learn(sets):
    model, data, found = found_in(sets, 5)
    batch = next(iter(load_data_whole(sets, model)))
    probabilities = model(x=batch["x"])["probabilities"].detach()
    predicted = (probabilities > model.decoder.threshold).numpy()
    truth = batch["labels"].numpy()
    f1 = np.array(
        [f1_score(t, p, zero_division=1.0) for t, p in zip(truth, predicted, strict=True)]
    )
    assert [example.quality for example in found] == pytest.approx(sorted(f1)[:5], abs=1e-6)
    for example in found:
        assert f1[example.place] == pytest.approx(example.quality, abs=1e-6)
        names = [f"label_{i}" for i in range(truth.shape[1])]
        shown = {label.name: (label.true, label.predicted) for label in example.labels}
        on = truth[example.place] | predicted[example.place]
        assert shown == {
            name: (bool(truth[example.place, i]), bool(predicted[example.place, i]))
            for i, name in enumerate(names)
            if on[i]
        }
        values = dict(example.features)
        assert values["feature_0"] == pytest.approx(float(batch["x"][example.place, 0]))
        truth_score = model.score_network(
            batch["x"][[example.place]], batch["labels"][[example.place]].float().unsqueeze(1), None
        )
        assert example.truth_score == pytest.approx(truth_score.item(), rel=1e-5)


def load_data_whole(run, model):
    config = json.loads((run / "config.json").read_text())
    data = load_data(run, model.vocab, config["validation_data_path"])
    data._loader.batch_size = len(data.instances)
    return data


def test_the_hardest_sentences_are_in_their_place_whatever_the_batches(tags):
    model, data, found = found_in(tags, 4)
    assert isinstance(data._loader.batch_sampler, BucketBatchSampler)
    assert sorted(data.order) == list(range(11)) and data.order != list(range(11))
    accuracies = []
    for instance in data.instances:
        truth = list(instance.fields["labels"].labels)
        prediction = model.forward_on_instance(instance)
        accuracies.append(
            np.mean([a == b for a, b in zip(truth, prediction["labels"], strict=True)])
        )
    assert [example.quality for example in found] == pytest.approx(sorted(accuracies)[:4])
    for example in found:
        instance = data.instances[example.place]
        assert [tag.token for tag in example.tags] == [t.text for t in instance.fields["x"].tokens]
        wrong = [tag.true != tag.predicted for tag in example.tags]
        assert 1 - np.mean(wrong) == pytest.approx(accuracies[example.place])
        assert example.truth_score is None


def test_the_hardest_images(images):
    _, data, found = found_in(images, 3)
    for example in found:
        truth, predicted = (example.images[name] > 0.5 for name in ("truth", "prediction"))
        iou = (truth & predicted).sum() / max((truth | predicted).sum(), 1)
        assert example.quality == pytest.approx(iou, abs=1e-6)
        expected = data.instances[example.place].fields["labels"].tensor.numpy()
        np.testing.assert_array_equal(truth, expected > 0.5)
    assert [e.quality for e in found] == sorted(e.quality for e in found)


def test_among_equals_the_one_scored_most_above_the_truth_comes_first(sets):
    model, data = load_model(sets), None
    data = load_data(sets, model.vocab)
    diagnosis = diagnose(model, data)
    size = len(data.instances)
    diagnosis.oracle_values = np.zeros(size)
    diagnosis.truth_scores = np.zeros(size)
    diagnosis.prediction_scores = np.arange(size, dtype=float)
    places = [example.place for example in hardest(model, data, diagnosis, 3)]
    assert places == [size - 1, size - 2, size - 3]


class Page(HTMLParser):
    """What a page refers to, and its text."""

    def __init__(self, text):
        super().__init__()
        self.references, self.tags, self.texts = [], [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes).get("class")))
        found = dict(attributes)
        self.references += [found[key] for key in ("src", "href") if key in found]

    def handle_data(self, data):
        self.texts.append(data)


def page_of(runs, path):
    write_report(runs, path, num_examples=3)
    return Page(path.read_text())


def test_the_report_has_everything_and_refers_to_nothing_else(sets, tmp_path):
    page = page_of([sets], tmp_path / "report.html")
    assert all(reference.startswith(("data:image/png", "#")) for reference in page.references)
    source = (tmp_path / "report.html").read_text()
    assert not re.search(r"url\(|@import|<script|<link", source)
    history = Run.read(sets)
    for name in history.curves:
        for part in name.split("."):
            assert part in page.text, name
    assert page.tags.count(("svg", "sparkline")) == len(history.curves)
    assert page.tags.count(("tr", "example")) == 3
    for title in ("curves", "scores", "calibration", "path", "search_error", "labels", "decoder"):
        assert f'alt="{title}"' in source
    assert "after 3 epochs, seed 13370/1337/133; the best, by example_f1, is epoch" in page.text
    best = history.curves["example_f1"]["validation"].values[history.best_epoch]
    assert f"{best:.4g}" in page.text
    assert '"type": "gradient-based-inference"' in page.text  # the config
    assert torch.__version__ in page.text


def test_spans_have_a_table_of_types_and_their_confusion(tmp_path):
    snippet = TAGS.replace("conllu: true, token_column: 1, tag_column: 3", "encoding: 'BIO'")
    snippet = snippet.replace("'tag-accuracy'", "{type: 'span-f1', encoding: 'BIO'}")
    run = trained(snippet, tmp_path, write_chunks)
    page = page_of([run], tmp_path / "report.html")
    source = (tmp_path / "report.html").read_text()
    model = load_model(run)
    rows = diagnose(model, load_data(run, model.vocab)).types.rows()
    assert [row["type"] for row in rows] == ["NP", "VP"]
    table = re.search(r'<table class="types">.*?</table>', source, re.S)[0]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table)
    assert cells[0] == "NP" and cells[4] == str(rows[0]["true"]) and len(cells) == 12
    assert cells[1] == f"{rows[0]['f1']:.2f}"
    assert 'alt="types"' in source and 'alt="confusion"' in source
    assert "truth: B-" in re.sub(r"\s+", " ", page.text)


def test_tables_fit_a_page(sets, tmp_path):
    runs = []
    for number in range(2):
        runs.append(tmp_path / ("a_very_long_name_of_a_run" * 4) / str(number))
        shutil.copytree(sets, runs[-1])
        path = runs[-1] / "metrics.json"
        metrics = json.loads(path.read_text())
        metrics.update({f"test_{name}": 0.5 for name in ("example_f1", "hamming_loss")})
        path.write_text(json.dumps(metrics))
    page_of(runs, tmp_path / "report.html")
    source = (tmp_path / "report.html").read_text()
    # No wider than the page; long words break, and what cannot break scrolls.
    assert int(re.search(r"max-width: (\d+)px", source)[1]) <= 1300
    assert "overflow-wrap: anywhere" in source and ".wide { overflow-x: auto; }" in source
    wide = set(re.findall(r'<div class="wide"><table class="(\w+)"', source))
    assert wide == {"runs", "metrics", "examples"}
    assert "example_<wbr>f1, test</th>" in source and "of_<wbr>a_<wbr>run" not in source
    assert "images" not in re.findall(r"<title>(.*)</title>", source)


def test_what_stands_in_the_data_is_no_html(tags, tmp_path):
    text = page_of([tags], tmp_path / "report.html")
    assert text.tags.count(("span", "token")) > 0
    shutil.copytree(tags, tmp_path / "copied")
    config = json.loads((tags / "config.json").read_text())
    strange = tmp_path / "strange.conllu"
    strange.write_text("1\t<script>x</script>\t_\tVERB\t_\t_\t_\t_\t_\t_\n\n")
    config["validation_data_path"] = str(strange)
    (tmp_path / "copied" / "config.json").write_text(json.dumps(config))
    page = page_of([tmp_path / "copied"], tmp_path / "strange.html")
    assert "<script>x</script>" in page.text  # as text
    assert not [tag for tag, _ in page.tags if tag == "script"]


def test_several_runs_are_sorted_by_their_validation_metric(sets, tmp_path):
    for name, value in (("worse", 0.1), ("better", 0.9)):
        shutil.copytree(sets, tmp_path / name)
        path = tmp_path / name / "metrics.json"
        metrics = json.loads(path.read_text())
        path.write_text(json.dumps({**metrics, "best_validation_example_f1": value}))
    page = page_of([tmp_path / "worse", tmp_path / "better"], tmp_path / "report.html")
    source = (tmp_path / "report.html").read_text()
    table = source[source.index('<table class="runs">') :]
    assert table.index(">better<") < table.index(">worse<")
    assert "0.9" in table and 'alt="every value of every run over the epochs"' in source
    assert page.tags.count(("tr", "example")) == 6


def test_a_run_that_was_killed(sets, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(sets, run)
    for name in ("metrics.json", "model.tar.gz"):
        (run / name).unlink()
    last = run / "metrics_epoch_2.json"
    last.write_text(last.read_text()[:50])
    page = page_of([run], tmp_path / "report.html")
    assert "Has not ended after 2 epochs" in page.text
    assert page.tags.count(("tr", "example")) == 3
    (run / "best.th").unlink()
    page = page_of([run], tmp_path / "report.html")
    assert "The model was not inspected: Expected the weights of the best epoch" in page.text
    assert page.tags.count(("tr", "example")) == 0 and "oracle_cost" not in page.text


def test_warnings_of_the_run_are_in_its_report(sets, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(sets, folder)
    write_report([folder], tmp_path / "before.html")
    assert "<h3>Warnings</h3>" not in (tmp_path / "before.html").read_text()
    start = "2026-01-02 03:04:05,678 -"
    sentence = "Features: all rows have the same value of '<b>'."
    line = f"{start} WARNING - structured_energy.models.standardization - {sentence}\n"
    other = f"{start} WARNING - allennlp.training - noise\n{start} INFO - structured_energy.a - c\n"
    with (folder / "out.log").open("a") as log:
        log.write(other + line + line)
    write_report([folder], tmp_path / "after.html")
    html = (tmp_path / "after.html").read_text()
    assert html.count("all rows have the same value of") == 1
    assert "&lt;b&gt;" in html and "noise" not in html


def test_data_that_have_gone_are_said(tags, tmp_path):
    shutil.copytree(tags, tmp_path / "run")
    config = json.loads((tags / "config.json").read_text())
    config["validation_data_path"] = str(tmp_path / "gone.conllu")
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    page = page_of([tmp_path / "run"], tmp_path / "report.html")
    assert "The model was not inspected:" in page.text and "gone.conllu" in page.text


def test_a_run_without_an_epoch_raises(sets, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="at least one epoch that has ended"):
        write_report([tmp_path], tmp_path / "report.html")
    assert not list(tmp_path.glob("report*"))


def test_the_environment_is_written_at_the_start(sets):
    (start,) = read_environment(sets)
    assert start["packages"]["torch"] == torch.__version__
    assert start["device"] == "cpu" and Run.read(sets).finished


SEEN = """<script>
addEventListener("load", () => {
  const images = [...document.images];
  const node = document.querySelector("details.node");
  const open = node.getBoundingClientRect().height;
  node.open = false;
  const seen = document.createElement("pre");
  seen.id = "seen";
  seen.textContent = JSON.stringify({
    images: images.length,
    drawn: images.filter(image => image.complete && image.naturalWidth > 5).length,
    folds: node.getBoundingClientRect().height < open / 3,
    sparklines: [...document.querySelectorAll("svg.sparkline")].length,
    width: document.documentElement.scrollWidth <= innerWidth,
    requests: performance.getEntriesByType("resource")
      .filter(entry => !entry.name.startsWith("data:")).length,
  });
  document.body.append(seen);
});
</script>"""


@pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium, 'chromium' of Debian's packages, which is not here"
)
@pytest.mark.parametrize("kind", ["sets", "tags", "images"])
def test_a_browser_shows_it(kind, request, tmp_path):
    run = request.getfixturevalue(kind)
    write_report([run], tmp_path / "report.html", num_examples=3)
    source = (tmp_path / "report.html").read_text()
    (tmp_path / "seen.html").write_text(source.replace("</body>", f"{SEEN}</body>"))
    result = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1200,900",
            "--virtual-time-budget=5000",
            "--dump-dom",
            (tmp_path / "seen.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    match = re.search(r'<pre id="seen">(.*?)</pre>', result.stdout)
    assert match, result.stderr[-2000:]
    seen = json.loads(match[1])
    assert seen["images"] == seen["drawn"] > 0
    assert seen["folds"] and seen["width"] and seen["requests"] == 0
    assert seen["sparklines"] == len(Run.read(run).curves)
