"""Commands of AllenNLP, and functions, in processes that are forked from this one: what they
import, which takes some seconds, is there already."""

import functools
import logging
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import allennlp.commands.train as train_command
import torch
import torch.multiprocessing as mp

from structured_energy.compatibility.console import quiet_handlers
from structured_energy.compatibility.errors import say_errors_in_one_sentence


def allennlp(*arguments, cwd, timeout=300, environment=()):
    """Run a command as `python -m allennlp` does, and return what `subprocess.run` returns.

    `environment` has variables beside those of this process.
    """
    arguments = [str(argument) for argument in arguments]
    return forked(functools.partial(command, arguments, cwd, environment), timeout)


def forked(work, timeout=300):
    """Call a function in a process, and return what `subprocess.run` returns."""
    (out, write_out), (err, write_err) = os.pipe(), os.pipe()
    child = begin(work, write_out, write_err)
    os.close(write_out)
    os.close(write_err)
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(_read, (out, err))
        code = wait(child, timeout)
    return subprocess.CompletedProcess(work, code, *texts)


def begin(work, out=None, err=None):
    """Begin a process that writes to two file descriptors, or nowhere; return its id."""
    child = os.fork()
    if child == 0:
        _run(work, out, err)
    return child


def wait(child, timeout=300):
    """Wait for a process; return its exit code, which is negative after a signal."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise TimeoutError(f"Expected the process to end within {timeout} s.")


def command(arguments, cwd, environment=()):
    """Run a command of AllenNLP in a process that is forked for it."""
    os.environ.update(environment)
    os.chdir(cwd)
    sys.path.insert(0, str(cwd))
    logging.getLogger().handlers.clear()  # those of pytest
    # AllenNLP turns it off where a test evaluates in this process.
    logging.getLogger("allennlp.common.params").disabled = False
    sys.argv = ["allennlp", *arguments]
    # Only here: a process that has imported it counts as the command.
    from allennlp.__main__ import run

    # As this package does when a command imports it.
    quiet_handlers()
    say_errors_in_one_sentence()
    run()


def fork_workers():
    """Let `allennlp train` fork its workers, which need not import everything again."""

    def spawn(function, args=(), nprocs=1, join=True, daemon=False):
        return mp.start_processes(function, args, nprocs, join, daemon, start_method="fork")

    train_command.mp.spawn = spawn


def _run(work, out, err):
    status = 1
    try:
        os.setpgid(0, 0)
        for number, name, file in ((1, "stdout", out), (2, "stderr", err)):
            os.dup2(os.open(os.devnull, os.O_WRONLY) if file is None else file, number)
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115
        torch.set_num_threads(1)  # the other threads of OpenMP are not forked
        fork_workers()
        work()
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def _read(descriptor):
    with open(descriptor) as file:
        return file.read()
