"""The hook at the import of AllenNLP, the stand-ins and the early patches."""

import builtins
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import package_uses
import pytest
import torch
from allennlp.common import cached_transformers, plugins
from forked_command import allennlp

from structured_energy import startup
from structured_energy.compatibility.optimizers import step_without_compiler
from structured_energy.compatibility.tokenizers import (
    build_inputs_with_special_tokens,
    encode_plus,
    get_tokenizer,
)
from structured_energy.startup import early_patches, stand_ins, structured_energy_hook

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "training_configs" / "multi_label" / "digits" / "inference_network.jsonnet"
UNEQUAL = ("duration", "memory_MB")


def python(*arguments, cwd, **variables):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def uses(tmp_path_factory):
    """What a process that imports AllenNLP early says about each use of a package."""
    folder = tmp_path_factory.mktemp("uses")
    done = python(package_uses.__file__, folder, cwd=folder)
    assert done.returncode == 0, done.stderr
    return {use: (passed, text) for use, passed, text in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The metrics of an epoch with the preparations, and of one without, from an empty folder."""
    folder = tmp_path_factory.mktemp("trained")
    overrides = json.dumps({"trainer.num_epochs": 1})
    # Without stand-ins AllenNLP needs torchvision, of which this environment has none.
    stub = folder / "stub" / "torchvision"
    (stub / "ops").mkdir(parents=True)
    for name in ("__init__.py", "ops/__init__.py", "ops/boxes.py"):
        (stub / name).touch()
    path = os.pathsep.join([str(stub.parent), os.environ.get("PYTHONPATH", "")])
    metrics = []
    for name, flags in (("on", []), ("off", ["--include-package", "structured_energy"])):
        command = ["-m", "allennlp", "train", CONFIG, "-s", name, "-o", overrides, *flags]
        variables = {"PYTHONPATH": path} if name == "off" else {}
        done = python(*command, cwd=folder, STRUCTURED_ENERGY_STARTUP=name, **variables)
        assert done.returncode == 0, done.stderr
        metrics.append(json.loads((folder / name / "metrics.json").read_text()))
    return metrics


def test_the_hook_is_installed_with_the_package():
    files = {path.name for path in importlib.metadata.files("structured-energy")}
    message = "install the package again: pip install --no-deps --no-build-isolation -e ."
    assert {"structured_energy_hook.pth", "structured_energy_hook.py"} <= files, message


def test_metrics_are_equal_with_and_without_the_preparations(trained):
    on, off = (
        {key: value for key, value in each.items() if not key.endswith(UNEQUAL)} for each in trained
    )
    assert on == off and len(on) > 20


def test_without_the_hook_the_package_is_a_command(tmp_path):
    done = python("-m", "structured_energy", "train", "none.jsonnet", "-s", "run", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == "" and done.stderr.count("\n") == 1 and "none.jsonnet" in done.stderr


@pytest.mark.parametrize("use", ["imported at the start", *(u.__name__ for u in package_uses.USES)])
def test_a_package_is_imported_on_its_first_use(uses, use):
    if use in startup.PACKAGES and importlib.util.find_spec(use) is None:
        pytest.skip(f"{use} is not installed")
    passed, text = uses[use]
    assert passed, text
    if use == "a_missing_package":
        assert text == (
            "Expected the package 'sklearn', which AllenNLP needs for this, got none; install it.\n"
        )


def test_every_package_with_stand_ins_has_a_use():
    assert set(startup.PACKAGES) <= {use.__name__ for use in package_uses.USES}


def test_a_file_of_plugins_still_counts(tmp_path):
    (tmp_path / ".allennlp_plugins").write_text("structured_energy\nmine\n")
    (tmp_path / "mine.py").write_text("print('imported')\n")
    done = allennlp("report", "no_run", cwd=tmp_path)
    assert done.stdout.count("imported\n") == 1 and "no_run" in done.stderr


def test_the_package_is_a_plugin_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert list(plugins.discover_plugins()) == ["structured_energy"]
    Path(".allennlp_plugins").write_text("other\nstructured_energy\n")
    assert list(plugins.discover_plugins()) == ["structured_energy", "other"]


def test_commands_do_not_import_the_tests_of_allennlp():
    calls = []
    fake = types.SimpleNamespace(import_module_and_submodules=lambda *each: calls.append(each))
    early_patches.import_module_and_submodules(fake)("allennlp", exclude={"allennlp.tools"})
    assert calls == [("allennlp", {"allennlp.tools", "allennlp.common.testing"})]
    (patch,) = [p for p in startup.EARLY_PATCHES if p.name == "import_module_and_submodules"]
    assert plugins.import_module_and_submodules.__module__ == patch.replacement.__module__


@pytest.mark.parametrize("package", ["allennlp", "another"])
def test_folders_are_read_once_for_allennlp_and_as_before_after_it(package, monkeypatch):
    calls = []
    monkeypatch.setattr(importlib, "invalidate_caches", counted := lambda: calls.append(1))

    def walk(*_):
        for _ in range(3):
            importlib.invalidate_caches()
        raise KeyError

    with pytest.raises(KeyError):
        early_patches.import_module_and_submodules(
            types.SimpleNamespace(import_module_and_submodules=walk)
        )(package)
    assert len(calls) == (1 if package == "allennlp" else 3)
    assert importlib.invalidate_caches is counted


def test_a_plugin_that_fails_is_one_sentence(monkeypatch, capsys):
    def fails(name):
        raise RuntimeError("no disk")

    monkeypatch.setattr(early_patches, "import_module", fails)
    discover = early_patches.discover_plugins(types.SimpleNamespace(discover_plugins=lambda: "a"))
    assert list(discover()) == ["a"]
    assert capsys.readouterr().err == (
        "Expected to import structured_energy as a plugin of AllenNLP, got RuntimeError: no disk; "
        "reinstall it, or set STRUCTURED_ENERGY_STARTUP=off.\n"
    )
    monkeypatch.setenv("ALLENNLP_DEBUG", "1")
    with pytest.raises(RuntimeError):
        list(discover())


class FakeLoader:
    def __init__(self):
        self.executed = []

    def exec_module(self, module):
        self.executed.append(module)


@pytest.fixture()
def package():
    module = types.ModuleType("allennlp")
    module.__spec__ = types.SimpleNamespace(loader=None)
    return module


def test_the_hook_is_turned_off_by_a_variable(monkeypatch):
    for value, count in (("off", 0), ("", 1)):
        monkeypatch.setenv("STRUCTURED_ENERGY_STARTUP", value)
        monkeypatch.setattr(sys, "meta_path", [])
        structured_energy_hook.install()
        assert len(sys.meta_path) == count


def test_the_hook_finds_allennlp_only():
    find = structured_energy_hook.Finder.find_spec
    assert find("torch") is None and find("allennlp.common") is None


@pytest.mark.parametrize("found", [None, types.SimpleNamespace(submodule_search_locations=None)])
def test_without_the_package_the_hook_does_nothing(monkeypatch, package, capsys, found):
    monkeypatch.delitem(sys.modules, "structured_energy.startup")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    loader = FakeLoader()
    structured_energy_hook.Loader(loader).exec_module(package)
    assert loader.executed == [package] and package.__spec__.loader is loader
    assert capsys.readouterr().err == ""


def test_with_a_broken_package_the_hook_says_one_sentence(monkeypatch, package, capsys, tmp_path):
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup" / "__init__.py").write_text("import no_such_module\n")
    broken = types.SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.delitem(sys.modules, "structured_energy.startup")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: broken)
    loader = FakeLoader()
    structured_energy_hook.Loader(loader).exec_module(package)
    assert loader.executed == [package] and "structured_energy.startup" not in sys.modules
    assert capsys.readouterr().err == (
        "Expected structured_energy to prepare the import of AllenNLP, got ModuleNotFoundError: No "
        "module named 'no_such_module'; reinstall it, or set STRUCTURED_ENERGY_STARTUP=off.\n"
    )


def test_imports_are_restored_after_an_error():
    before = builtins.__import__
    with pytest.raises(KeyError), stand_ins.standing_in():
        assert builtins.__import__ is not before
        raise KeyError
    assert builtins.__import__ is before


def test_only_modules_of_allennlp_get_stand_ins(monkeypatch):
    monkeypatch.setattr(stand_ins, "PACKAGES", ("no_such_package",))
    source = "from no_such_package.part import Name"
    with stand_ins.standing_in():
        namespace = {"__name__": "allennlp.some.module"}
        exec(source, namespace)
        assert repr(namespace["Name"]) == "<stand-in for no_such_package.part.Name>"
        with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_package'"):
            exec(source, {"__name__": "numpy.some.module"})
    with pytest.raises(stand_ins.MissingPackageError, match="Expected the package 'no_such_pack"):
        namespace["Name"]()
    assert not isinstance(3, namespace["Name"])


def test_a_removed_name_is_restored_where_it_is_missing(monkeypatch):
    hub = types.ModuleType("huggingface_hub")
    hub.__version__, hub.get_token = "2.4.0", lambda: "secret"
    hub.HfFolder = kept = object()
    transformers = type("Lazy", (types.ModuleType,), {"__version__": "5.0"})("transformers")
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "transformers", transformers)
    startup.apply_early_patches("huggingface_hub", "transformers")
    assert hub.HfFolder is kept
    assert early_patches.hf_folder(hub).get_token() == "secret"
    with pytest.raises(RuntimeError, match="Expected huggingface_hub < 1 .* got 2.4.0"):
        hub.Repository("folder", clone_from="url")
    parameter = torch.nn.Parameter(torch.ones(1))
    assert isinstance(transformers.AdamW([parameter]), torch.optim.AdamW)
    assert "AdamW" in vars(type(transformers))
    with pytest.raises(ValueError, match="Expected correct_bias: true .* got false"):
        transformers.AdamW([parameter], correct_bias=False)


class FewMethods:
    """A tokenizer with the methods of transformers 5: 100 and 102 are special tokens."""

    id_of = staticmethod(ord)

    def __call__(self, text, pair=None, add_special_tokens=True):
        ids = [*map(self.id_of, text)]
        if not add_special_tokens:
            return {"input_ids": ids}
        second = [] if pair is None else [*map(self.id_of, pair), 102]
        return {"input_ids": [100, *ids, 102, *second]}


class FewLetters(FewMethods):
    """Each letter is unknown, 7."""

    id_of = staticmethod(lambda letter: 7)


def test_a_tokenizer_gets_the_methods_that_allennlp_calls(monkeypatch):
    calls = []

    def load(model_name, **settings):
        calls.append((model_name, settings))
        return FewMethods()

    monkeypatch.setattr("structured_energy.compatibility.tokenizers._get_tokenizer", load)
    assert cached_transformers.get_tokenizer is get_tokenizer
    tokenizer = get_tokenizer("tiny", add_special_tokens=False, use_fast=True)
    assert calls == [("tiny", {"use_fast": True})]
    assert tokenizer.encode_plus("a", add_special_tokens=False) == {"input_ids": [97]}
    assert tokenizer.build_inputs_with_special_tokens([1, 2]) == [100, 1, 2, 102]
    pair = tokenizer.build_inputs_with_special_tokens([1, 2], [3])
    assert pair == [100, 1, 2, 102, 3, 102]
    assert encode_plus(tokenizer, "a")["input_ids"] == [100, 97, 102]
    assert build_inputs_with_special_tokens(tokenizer, []) == [100, 102]
    assert build_inputs_with_special_tokens(FewLetters(), [1], [3]) == [100, 1, 102, 3, 102]


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD])
@pytest.mark.parametrize("compiler", [False, True])
def test_steps_are_those_of_torch(kind, compiler, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    if compiler:
        monkeypatch.setitem(sys.modules, "torch._dynamo", torch._dynamo)
    values = []
    for plain in (True, False):
        parameter = torch.nn.Parameter(torch.arange(3.0))
        optimizer = kind([parameter], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (parameter**3).sum().backward()
            if plain:
                optimizer.step()
            else:
                with torch.no_grad():
                    kind.step.__wrapped__.__wrapped__(optimizer)
        values.append(parameter.detach())
    assert torch.equal(*values) and values[0][1] != 1
    assert torch.is_grad_enabled()


def test_the_steps_are_replaced_once():
    before = [vars(kind).get("step") for kind in (torch.optim.Adam, torch.optim.SGD)]
    step_without_compiler()
    assert before == [vars(kind).get("step") for kind in (torch.optim.Adam, torch.optim.SGD)]
