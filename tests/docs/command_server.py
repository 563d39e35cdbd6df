"""A process that has imported the package once, and forks `allennlp` for the blocks of pages.

Imports take 2 to 4 seconds of each command, and the pages contain more than a hundred commands.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from forked_command import begin, command

TESTS = Path(__file__).resolve().parents[1]
# Sends its arguments, environment and open files to the server, and ends as the command ends.
CLIENT = """#!{python} -IS
import json, os, signal, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [struct.pack("q", len(request))], [0, 1, 2])
server.sendall(request)
(child,) = struct.unpack("q", server.recv(8, socket.MSG_WAITALL))
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(child, number))
(code,) = struct.unpack("q", server.recv(8, socket.MSG_WAITALL))
sys.exit(code if code >= 0 else 128 - code)
"""


def begin_server(folder):
    """Begin the process; return it, and the folder of `allennlp`, which comes first in PATH."""
    address, programs = str(folder / "server"), folder / "bin"
    programs.mkdir()
    client = programs / "allennlp"
    client.write_text(CLIENT.format(python=sys.executable, address=address))
    client.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, __file__, address],
        env={**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return server, programs


def serve(address):
    """Fork a command for each connection, until the process is killed."""
    import allennlp.commands  # noqa: F401

    import structured_energy.reporting  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:  # waits for the command, while others may begin
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            _answer(connection)
            os._exit(0)
        connection.close()


def _answer(connection):
    header, files, _, _ = socket.recv_fds(connection, 8, 3)
    (size,) = struct.unpack("q", header)
    arguments, folder, environment = json.loads(connection.recv(size, socket.MSG_WAITALL))

    def work():
        os.dup2(files[0], 0)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        os.environ.clear()
        added = environment.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [os.path.abspath(os.path.join(folder, each)) for each in added if each]
        command(arguments, folder, environment)

    child = begin(work, files[1], files[2])
    for file in files:
        os.close(file)
    connection.sendall(struct.pack("q", child))
    _, status = os.waitpid(child, 0)
    connection.sendall(struct.pack("q", os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    serve(sys.argv[1])
