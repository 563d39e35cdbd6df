"""Commands of AllenNLP in processes that are forked from this one: what they import, which takes
some seconds, is there already."""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch


def allennlp(*arguments, cwd, timeout=300):
    """Run a command as `python -m allennlp` does, and return what `subprocess.run` returns."""
    arguments = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = os.fork()
        if child == 0:
            _run(arguments, cwd, out, err)
        status = _wait(child, timeout)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


def _run(arguments, cwd, out, err):
    status = 1
    try:
        os.setpgid(0, 0)
        for number, name, path in ((1, "stdout", out), (2, "stderr", err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115
        os.chdir(cwd)
        torch.set_num_threads(1)  # the other threads of OpenMP are not forked
        logging.getLogger().handlers.clear()  # those of pytest
        sys.argv = ["allennlp", *arguments]
        # Only here: a process that has imported it counts as the command.
        from allennlp.__main__ import run

        run()
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait(child, timeout):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise TimeoutError(f"Expected the command to end within {timeout} s.")
