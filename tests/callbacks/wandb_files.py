"""Reads the files that wandb leaves offline."""

import json
import os
import struct

import wandb
from wandb.proto import wandb_internal_pb2


def records_of(path):
    """The records of a file of wandb: seven bytes, then a log in the format of LevelDB."""
    data, place, whole = path.read_bytes(), 7, b""
    while place < len(data):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        _, size, kind = struct.unpack("<IHB", data[place : place + 7])
        whole += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or the last piece
            yield wandb_internal_pb2.Record.FromString(whole)
            whole = b""


def runs_of(folder):
    """The records of each process that wrote."""
    wandb.teardown()  # it writes in the background
    paths = sorted((folder / "run" / "wandb").glob("offline-run-*/*.wandb"))
    return [list(records_of(path)) for path in sorted(paths, key=os.path.getmtime)]


def of_kind(records, kind):
    return [getattr(r, kind) for r in records if r.WhichOneof("record_type") == kind]


def summary_of(records):
    """The summary at the end of the records of one process."""
    return {
        item.key or ".".join(item.nested_key): json.loads(item.value_json)
        for summary in of_kind(records, "summary")
        for item in summary.update
    }
