"""Weights & Biases with a server, which is a small stand-in on this machine."""

import gzip
import http.server
import json
import threading
import time

import pytest
import wandb

from structured_energy.callbacks import Reading, TreeToWandbCallback, tree_to_wandb

pytestmark = pytest.mark.usefixtures("wandb_environment")
PROJECT = {"id": "m", "name": "p", "entity": {"id": "e", "name": "me"}}


class Server:
    """Answers what is asked of it, takes rows, and dies when it is told to."""

    def __init__(self, known=None):
        self.rows, self.dead = [], False
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                zipped = self.headers["Content-Encoding"] == "gzip"
                asked = json.loads(gzip.decompress(body) if zipped else body)
                self.reply(json.dumps(server.answer(asked, known)).encode())

            def do_PUT(self):  # a file
                self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(b"")

            def reply(self, answer):
                if server.dead:
                    self.connection.close()
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, asked, known):
        history = asked.get("files", {}).get("wandb-history.jsonl")
        if history is not None:
            self.rows += [json.loads(line) for line in history["content"]]
        query = asked.get("query", "")
        if "RunResumeStatus" in query:
            return {"data": {"model": {**PROJECT, "bucket": known}}}
        if "upsertBucket" in query:
            bucket = {"id": "b", "name": asked["variables"]["name"], "project": PROJECT}
            return {"data": {"upsertBucket": {"bucket": bucket, "inserted": True}}}
        if "createRunFiles" in query:
            files = [{"name": name, "uploadUrl": self.url} for name in asked["variables"]["files"]]
            return {"data": {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}}
        return {"data": {}}


@pytest.fixture()
def online(monkeypatch):
    servers = []

    def start(known=None):
        servers.append(Server(known))
        monkeypatch.setenv("WANDB_BASE_URL", servers[0].url)
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
        wandb.teardown()  # it reads its environment once
        return servers[0]

    yield start
    wandb.teardown()
    for server in servers:
        server.http.shutdown()


def write(callback, epochs):
    for epoch in epochs:
        callback.write(Reading(epoch, 3 * epoch, {"training": {"a": 0.5}}, {}))


def test_rows_that_the_server_has_are_not_sent_again(online, tmp_path):
    last = json.dumps({"_step": 5, "epoch": 5})
    server = online(
        {
            "name": "r",
            "historyLineCount": 6,
            "eventsLineCount": 0,
            "logLineCount": 0,
            "historyTail": json.dumps([last]),
            "summaryMetrics": last,
            "eventsTail": "[]",
            "config": "{}",
            "tags": [],
            "wandbConfig": '{"t": 1}',
        }
    )
    # It was killed before the rows 6 and 7 were sent.
    (tmp_path / "wandb_run.json").write_text(json.dumps({"id": "r", "last_row": 7}))
    callback = TreeToWandbCallback(str(tmp_path), project="p")
    callback.begin(4, 0)
    assert callback._first_row == 6
    write(callback, range(4, 9))
    callback.on_end(None, {}, 8)
    assert [row["_step"] for row in server.rows] == [6, 7, 8]


def test_a_server_that_dies_does_not_hold_up_training(online, tmp_path, monkeypatch):
    monkeypatch.setitem(tree_to_wandb.SETTINGS, "finish_timeout", 2.0)
    server = online()
    callback = TreeToWandbCallback(str(tmp_path), project="p")
    callback.begin(0, 0)
    server.dead = True
    start = time.monotonic()
    write(callback, range(5))
    assert time.monotonic() - start < 2
    callback.on_end(None, {}, 4)
    assert time.monotonic() - start < 20
    assert not server.rows
