"""The package in a notebook."""

import subprocess
import sys

import pytest

# A shell with the name of Jupyter's, by which AllenNLP knows a notebook.
PROGRAM = """
import builtins, importlib.util, sys, types
shell = type("ZMQInteractiveShell", (), {"__module__": "ipykernel.zmqshell"})
builtins.get_ipython = shell
find_spec = importlib.util.find_spec
def find(name, *rest):
    return has_widgets if name == "ipywidgets" else find_spec(name, *rest)
importlib.util.find_spec = find
has_widgets = %s
import structured_energy
from structured_energy.compatibility.progress import Bar
from allennlp.common import Tqdm
print(Bar.__mro__[1].__module__)
with structured_energy.compatibility.hiding_bars():
    assert list(Tqdm.tqdm(range(3))) == [0, 1, 2]
assert %s or list(Tqdm.tqdm(range(3), desc="loss: 1.0")) == [0, 1, 2]
"""


@pytest.mark.parametrize(("has_widgets", "module"), [(True, "tqdm.notebook"), (False, "tqdm.std")])
def test_it_is_imported_and_has_bars(has_widgets, module):
    program = PROGRAM % (has_widgets, has_widgets)
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [module]
