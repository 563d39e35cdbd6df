"""Work that two processes do together."""

import torch
import torch.multiprocessing as mp


def results_of(work, folder):
    """Return what `work(rank)` returns in each of two processes that are in one group."""
    mp.start_processes(_join, args=(work, folder), nprocs=2, start_method="fork")
    return [torch.load(folder / f"result_{rank}") for rank in range(2)]


def _join(rank, work, folder):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    torch.save(work(rank), folder / f"result_{rank}")
    torch.distributed.destroy_process_group()
