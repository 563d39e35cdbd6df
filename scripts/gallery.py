"""Draw the images of the gallery (docs/gallery.md) from trained runs.

    python scripts/gallery.py runs/demo runs/disks [--to docs/images]

Copies the plots of each run, the last pictures of a run on images, the digits of the demo and,
where `chromium` is installed, the top of the report, all with at most 128 colours. The metrics and
the tree of the demo are written to `demo.txt`.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Tuple

from demo import show_metrics
from PIL import Image
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
PLOTS = ("curves", "labels", "scores", "decoder")
REPORT_SIZE = (1300, 1700)


def allennlp(*arguments: str) -> None:
    """Run a command of `allennlp`."""
    subprocess.run([sys.executable, "-m", "allennlp", *arguments], check=True)


def images_of(run: Path, scratch: Path) -> Iterator[Tuple[str, Path]]:
    """Yield the name in the gallery and the file of each image of a run."""
    if (run / "digits.png").exists():
        yield "digits", run / "digits.png"
    pictures = sorted((run / "pictures").glob("*.png"), key=lambda path: path.stat().st_mtime)
    if pictures:
        yield "pictures", pictures[-1]
        return  # its plots look like those of the other runs
    allennlp("plots", str(run))
    for name in PLOTS:
        yield name, run / "plots" / f"{name}.png"
    report, screenshot = scratch / "report.html", scratch / "report.png"
    allennlp("report", str(run), "--output", str(report))
    browser = shutil.which("chromium")
    if browser is None:
        print("Without chromium the picture of the report is not drawn.")
        return
    size = ",".join(map(str, REPORT_SIZE))
    command = [browser, "--headless", "--no-sandbox", "--hide-scrollbars"]
    target = [f"--screenshot={screenshot}", f"--window-size={size}", report.as_uri()]
    subprocess.run([*command, *target], check=True, capture_output=True)
    yield "report", screenshot


def main() -> None:
    """Draw all images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    arguments = parser.parse_args()
    arguments.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for run in arguments.runs:
            if (run / "digits.png").exists():
                with (arguments.to / "demo.txt").open("w", encoding="utf-8") as file:
                    metrics = json.loads((run / "metrics.json").read_text())
                    show_metrics(Console(file=file, width=80), metrics)
            for name, source in images_of(run, Path(scratch)):
                image = Image.open(source).convert("RGB").quantize(128, dither=Image.Dither.NONE)
                image.save(arguments.to / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
