"""Silences, in this environment, one warning of the pinned torchvision.

AllenNLP imports torchvision when it starts, before any plugin, and the version that
requirements.txt pins warns that its image reader does not fit a newer torch. Nobody reads images
with it. The filter is a line that Python executes at its start, so it is in place in time, for
this message alone.
"""

import sysconfig
from pathlib import Path

LINE = (
    "import warnings; warnings.filterwarnings('ignore', "
    "message='Failed to load image Python extension', category=UserWarning)\n"
)

if __name__ == "__main__":
    Path(sysconfig.get_path("purelib"), "structured_energy_torchvision.pth").write_text(LINE)
