"""The images of the gallery are drawn from runs."""

import shutil
import sys

import gallery
import pytest
from PIL import Image


@pytest.fixture()
def run(tmp_path):
    """The parts of a run on images, and of one of the demo, that the gallery copies."""
    for name, place in (("demo", "digits.png"), ("disks", "pictures/epoch_1.png")):
        target = tmp_path / "runs" / name / place
        target.parent.mkdir(parents=True)
        Image.linear_gradient("L").convert("RGB").save(target)
    metrics = '{"test_example_f1": 0.75, "test_loss.value": 2.5, "training_loss": 1.0}'
    (tmp_path / "runs" / "demo" / "metrics.json").write_text(metrics)
    return tmp_path


def test_images_and_tree_of_runs(run, monkeypatch):
    called = []

    def allennlp(command, folder, *rest):
        called.append(command)
        if command == "plots":
            (run / "runs" / "demo" / "plots").mkdir()
            for name in gallery.PLOTS:
                plot = run / "runs" / "demo" / "plots" / f"{name}.png"
                shutil.copy(run / "runs" / "demo" / "digits.png", plot)

    monkeypatch.setattr(gallery, "allennlp", allennlp)
    monkeypatch.setattr(gallery.shutil, "which", lambda name: None)
    target = run / "images"
    runs = [str(run / "runs" / name) for name in ("demo", "disks")]
    monkeypatch.setattr(sys, "argv", ["gallery.py", *runs, "--to", str(target)])
    gallery.main()
    assert called == ["plots", "report"]
    names = {path.name for path in target.glob("*.png")}
    assert names == {f"{name}.png" for name in ("digits", "pictures", *gallery.PLOTS)}
    text = (target / "demo.txt").read_text()
    assert "example_f1" in text
    assert "value = 2.5" in text
    for path in target.glob("*.png"):
        assert len(Image.open(path).convert("RGB").getcolors()) <= 128
