"""The table of all patches; docs/reference/patches.md shows it."""

from typing import List

from allennlp.commands import evaluate, find_learning_rate, predict, train
from allennlp.commands.train import TrainModel
from allennlp.common import logging as common_logging
from allennlp.common import tqdm as common_tqdm
from allennlp.common.registrable import Registrable
from allennlp.models import archival
from allennlp.training import (
    Checkpointer,
    GradientDescentTrainer,
    Trainer,
    checkpointer,
)
from allennlp.training import util as training_util
from allennlp.training.moving_average import MovingAverage
from allennlp.training.scheduler import Scheduler

from .. import untrusted
from . import (
    checkpoints,
    checks,
    commands,
    console,
    evaluation,
    messages,
    nodes,
    predictions,
    progress,
    recovery,
    runs,
    training,
)
from .config_table import CONFIG_PATCHES
from .package_patches import PACKAGE_PATCHES
from .patch import Patch

PATCHES: List[Patch] = [
    *PACKAGE_PATCHES,
    Patch(
        MovingAverage,
        "state_dict",
        training.moving_average_state,
        "bug",
        "The state contained the parameters of the model; now it contains only their averages.",
    ),
    Patch(
        MovingAverage,
        "load_state_dict",
        training.load_moving_average_state,
        "bug",
        "Loading replaced the parameters of the model, which were never averaged again after "
        "`--recover`; now it copies the averages.",
    ),
    Patch(
        archival,
        "_load_dataset_readers",
        commands.load_dataset_readers,
        "bug",
        'A config with `"dataset_reader": "arff"` trained, but its archive failed to load.',
    ),
    Patch(
        find_learning_rate,
        "find_learning_rate_model",
        commands.find_learning_rate_model,
        "bug",
        "`find-lr` refused every trainer except `gradient_descent`; `minimax` is a subclass of it.",
    ),
    Patch(
        predict._PredictManager,
        "_get_json_data",
        predictions.json_data,
        "message",
        "An error about a line to predict for lacked file and line, and a byte order mark was an "
        "error.",
    ),
    Patch(
        Scheduler,
        "load_state_dict",
        recovery.load_scheduler_state,
        "bug",
        "A schedule over the whole run took its length from the checkpoint, so it had ended when "
        "a recovered run trained for more epochs; now it keeps the length of the recovered run.",
    ),
    Patch(
        training_util,
        "create_serialization_dir",
        recovery.create_serialization_dir,
        "checkpoint",
        "`--recover` refused another address, another port and more epochs, and named no other "
        "difference outside its log. A start that failed blocked its folder.",
    ),
    Patch(
        checkpointer,
        "torch",
        checkpoints.checkpointer_torch,
        "checkpoint",
        "A kill or a full disk left half a file under the name that `--recover` reads; now a file "
        "gets its name when it is complete.",
    ),
    Patch(
        Checkpointer,
        "_find_all_checkpoints",
        checkpoints.find_all_checkpoints,
        "checkpoint",
        "A kill left a checkpoint with one of its two files, which `--recover` read; now it is "
        "skipped.",
    ),
    Patch(
        GradientDescentTrainer,
        "_save_model_state",
        checkpoints.save_model_state,
        "checkpoint",
        "`best.th` was written in place; now it gets its name when it is complete.",
    ),
    Patch(
        GradientDescentTrainer,
        "_maybe_restore_checkpoint",
        checkpoints.maybe_restore_checkpoint,
        "checkpoint",
        "A run killed between a checkpoint and `best.th` kept older weights as its best; now "
        "`--recover` writes `best.th` from the checkpoint.",
    ),
    Patch(
        TrainModel,
        "from_partial_objects",
        classmethod(runs.from_partial_objects),
        "bug",
        "Readers did not know which data are those to train on, so with a lazy data loader the "
        "validation data decided the categories of a table; now the training data do.",
    ),
    Patch(
        TrainModel,
        "run",
        runs.run,
        "workers",
        "In a distributed run, the first worker evaluated only its share of the test data, and "
        "waited for the other workers; now all of them evaluate.",
    ),
    Patch(
        TrainModel,
        "finish",
        runs.finish,
        "workers",
        "The first worker of each node wrote `metrics.json`, and callbacks never received the "
        "metrics of the test data; now one worker writes, and a `ResultCallback` receives them.",
    ),
    Patch(
        train,
        "train_model",
        checks.train_model,
        "workers",
        "A node refused the folder of a run that another node had created; now a further node "
        "has a separate folder, `NAME.node_1`, for its log. Faults of the config were found one "
        "by one, some after the data were read; now all of them are named first.",
    ),
    Patch(
        train,
        "_train_worker",
        nodes.train_worker,
        "workers",
        "The workers of a further node train in the folder of the run, and a spawned process "
        "imports this package before it logs.",
    ),
    Patch(
        train,
        "archive_model",
        nodes.archive_model,
        "workers",
        "Each node wrote an archive; now the first node writes the only one.",
    ),
    Patch(
        Trainer,
        "__init__",
        nodes.init_trainer,
        "workers",
        "The first worker of each node considered itself the primary one and wrote checkpoints.",
    ),
    Patch(
        GradientDescentTrainer,
        "__init__",
        messages.init_gradient_descent_trainer,
        "message",
        "The trainer ignored unknown keys: misspelt ones, and those of `minimax` without its type. "
        "No hook of a model saw the training data before the first step; now `prepare` does.",
    ),
    *CONFIG_PATCHES,
    Patch(
        common_logging,
        "prepare_global_logging",
        console.prepare_global_logging,
        "console",
        "Every record of every package was printed; now only results, warnings and errors are. "
        "The hook that says errors of a user in one sentence stays in place.",
    ),
    Patch(
        evaluate,
        "evaluate_from_archive",
        evaluation.evaluate_from_archive,
        "console",
        "`allennlp evaluate` printed no metrics; now it prints a table, or JSON with "
        "`--output-file -`.",
    ),
    Patch(
        evaluate,
        "load_archive",
        evaluation.load_archive,
        "bug",
        "The reader of an archive decided the columns of a table from the data to evaluate on; "
        "now it has those of the model.",
    ),
    Patch(
        common_tqdm,
        "_tqdm",
        progress.Bar,
        "console",
        "The description of a bar was longer than the terminal, which hid the bar.",
    ),
    Patch(
        common_tqdm.Tqdm,
        "tqdm",
        staticmethod(progress.tqdm),
        "console",
        "Finished bars stayed on the terminal, and other output had ten lines of a bar in each "
        "second.",
    ),
    Patch(
        training_util,
        "description_from_metrics",
        progress.metrics_description,
        "console",
        "A bar listed every metric; now it shows the loss and the validation metric.",
    ),
    Patch(
        archival,
        "tarfile",
        untrusted.safe_tarfile,
        "security",
        "Members of an archive could lead out of the folder that it is extracted to.",
    ),
    Patch(
        archival,
        "extracted_archive",
        untrusted.extracted_archive,
        "security",
        "The config of an archive could read files of the machine (Jsonnet), and run code of a "
        "model hub (`trust_remote_code`).",
    ),
    Patch(
        Registrable,
        "resolve_class_name",
        classmethod(untrusted.resolve_class_name),
        "security",
        'A `"type"` could be the path to any function, so a config could start a process.',
    ),
]
