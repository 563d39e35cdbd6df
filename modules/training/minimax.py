"""The trainer that optimises a score network and a task network in turns."""

import logging
from itertools import groupby
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader, TensorDict
from allennlp.models import Model
from allennlp.nn.parallel import DdpAccelerator
from allennlp.training import Checkpointer, GradientDescentTrainer, Trainer, TrainerCallback
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.moving_average import MovingAverage
from allennlp.training.optimizers import Optimizer

from ..encoded import Encoded
from ..environment import record_environment
from ..losses import start_epoch
from ..models import StructuredEnergyModel
from ..samplers import NanScoreError
from ..workers import all_gather_object, own_part
from .acceleration import compile_parts, half, without_subnormals
from .corrected_callbacks import CorrectedCallbacks
from .joint_optimizer import JointScheduler, joint_optimizer, joint_scheduler
from .nan_loss import nan_loss_error
from .recovery import WorkerState, epochs_to_train, metrics_of_epoch
from .schedule import (
    NetworkSettings,
    Schedule,
    accumulation,
    check_positive,
    make_schedule,
    make_steps,
    network_settings,
)

logger = logging.getLogger(__name__)


class Turns(NamedTuple):
    """The values that `MinimaxTrainer` adds to those of AllenNLP's trainer."""

    schedule: Schedule
    amp_dtype: torch.dtype
    worker: WorkerState


@Trainer.register("minimax", constructor="from_partial_objects")
class MinimaxTrainer(GradientDescentTrainer):
    """Train networks in turns: on each batch one takes its `steps` while the other is frozen, then
    the other does, `rounds` times.

    With one network it equals AllenNLP's `GradientDescentTrainer`, whose parameters it takes, but
    that schedulers count batches, also where gradients are accumulated. The reported loss is the
    sum over the steps of a batch. Checkpoints hold optimisers, schedulers, accumulated gradients
    and random states, so that `--recover` resumes bit for bit on CPU. In distributed training each
    step takes the mean gradient of the workers.

    # Parameters (beyond those of `GradientDescentTrainer`)

    steps : `Dict[str, int]`, optional
        The number of steps of `score_network` and `task_network` on a batch, by default 1 each; a
        network that is left out takes none.
    order : `List[str]`, optional
        The order of the networks, by default `score_network`, then `task_network`.
    rounds : `int`
        The number of repetitions of all steps on the same batch.
    networks : `Dict[str, NetworkSettings]`, optional
        `optimizer`, `learning_rate_scheduler`, `grad_norm`, `num_gradient_accumulation_steps` of
        each network, by default the trainer's. `start_epoch`, `stop_epoch` and `epochs` divide
        training into phases: only the last one counts for the best epoch and for `patience`.
    amp_dtype : `"float16"` or `"bfloat16"`
        The half precision of `use_amp`; bfloat16 needs no `grad_scaling`.
    compile_networks : `bool`
        Whether `torch.compile` compiles the networks for training.

    # Raises

    `ConfigurationError` for a network that the model does not have or that has no loss, and for
    `compile_networks` with unrolled inference.
    `NanLossError`, a `ValueError`, if the loss becomes NaN; it names the first logged value that
    is NaN.
    """

    turns: Turns
    _last_loss: Optional[torch.Tensor] = None  # read only after an error: reading waits for a GPU

    @classmethod
    def from_partial_objects(
        cls,
        model: Model,
        serialization_dir: str,
        data_loader: DataLoader,
        validation_data_loader: Optional[DataLoader] = None,
        local_rank: int = 0,
        patience: Optional[int] = None,
        validation_metric: Union[str, List[str]] = "-loss",
        num_epochs: int = 20,
        cuda_device: Optional[Union[int, torch.device]] = None,
        grad_norm: Union[float, bool] = False,
        grad_clipping: Optional[float] = None,
        distributed: bool = False,
        world_size: int = 1,
        num_gradient_accumulation_steps: int = 1,
        use_amp: bool = False,
        no_grad: Optional[List[str]] = None,
        optimizer: Lazy[Optimizer] = Lazy(Optimizer.default),
        learning_rate_scheduler: Optional[Lazy[LearningRateScheduler]] = None,
        moving_average: Optional[Lazy[MovingAverage]] = None,
        checkpointer: Optional[Lazy[Checkpointer]] = Lazy(Checkpointer),
        callbacks: Optional[List[Lazy[TrainerCallback]]] = None,
        enable_default_callbacks: bool = True,
        run_confidence_checks: bool = True,
        grad_scaling: bool = True,
        ddp_accelerator: Optional[DdpAccelerator] = None,
        steps: Optional[Dict[str, int]] = None,
        order: Optional[List[str]] = None,
        rounds: int = 1,
        networks: Optional[Dict[str, NetworkSettings]] = None,
        amp_dtype: str = "float16",
        compile_networks: bool = False,
    ) -> "MinimaxTrainer":
        """Build the trainer from a config."""
        if not isinstance(model, StructuredEnergyModel):
            raise ConfigurationError(
                "Expected a model of type 'structured-energy' for the trainer 'minimax', got "
                f"{type(model).__name__}; use the trainer 'gradient_descent' for others."
            )
        check_positive("grad_clipping", grad_clipping)
        all_steps = make_steps(list(model.losses), steps, order, rounds)
        by_default = NetworkSettings(
            optimizer, learning_rate_scheduler, grad_norm, num_gradient_accumulation_steps
        )
        settings = network_settings(all_steps, networks, by_default)
        schedule = make_schedule(all_steps, settings, num_epochs)
        if compile_networks:
            compile_parts(model)
        trainer = super().from_partial_objects(
            model=model,
            serialization_dir=serialization_dir,
            data_loader=data_loader,
            validation_data_loader=validation_data_loader,
            local_rank=local_rank,
            patience=patience,
            validation_metric=validation_metric,
            num_epochs=num_epochs,
            cuda_device=cuda_device,
            grad_norm=grad_norm,
            distributed=distributed,
            world_size=world_size,
            use_amp=use_amp,
            no_grad=no_grad,
            optimizer=joint_optimizer(
                model.networks, settings, accumulation(settings, use_amp), grad_clipping
            ),
            learning_rate_scheduler=joint_scheduler(settings, schedule.epochs),
            moving_average=moving_average,
            checkpointer=checkpointer,
            callbacks=callbacks,
            enable_default_callbacks=enable_default_callbacks,
            run_confidence_checks=run_confidence_checks,
            grad_scaling=grad_scaling,
            ddp_accelerator=ddp_accelerator,
        )
        worker = WorkerState.of(trainer, data_loader)
        trainer.turns = Turns(schedule, half(amp_dtype), worker)
        group = CorrectedCallbacks(serialization_dir, trainer._callbacks, worker.metrics)
        trainer._callbacks = [group]
        return trainer

    @property
    def _pytorch_model(self) -> StructuredEnergyModel:
        # The wrapper expects all gradients in each pass, so `JointOptimizer.average` replaces it.
        return self.model

    def batch_outputs(self, batch: TensorDict, for_training: bool) -> Dict[str, torch.Tensor]:
        """Return the outputs of a batch; in training, take all steps but the last, which the base
        class takes with the returned loss, the sum over the steps."""
        if not for_training:
            return self._outputs(batch, for_training=False)
        self.turns.worker.random.restore_torch()
        all_steps = self.turns.schedule.active(self._epochs_completed)
        losses: List[torch.Tensor] = []
        for network, steps in groupby(all_steps):
            self.optimizer.active = network
            # Consecutive steps of one network share the encoding of the frozen one.
            x = Encoded(batch["x"], batch.get("mask"))
            with self.model.optimizing(network):
                for _ in steps:
                    outputs = self._outputs({**batch, "x": x}, for_training=True)
                    losses.append(outputs["loss"].detach())
                    if len(losses) < len(all_steps):
                        self._take_step(outputs["loss"])
                        x.forget_trained()
        if len(losses) > 1:
            outputs["loss"] = outputs["loss"] + torch.stack(losses[:-1]).sum()
        self._last_loss = outputs["loss"].detach()
        return outputs

    def _outputs(self, batch: TensorDict, for_training: bool) -> Dict[str, torch.Tensor]:
        if not self._use_amp:
            return super().batch_outputs(batch, for_training)
        with torch.autocast(self.cuda_device.type, self.turns.amp_dtype):
            return super().batch_outputs(batch, for_training)

    def _take_step(self, loss: torch.Tensor) -> None:
        # The loop of the base class is inside its autocast, in which a backward pass would round
        # gradients to float16, whatever `amp_dtype` is.
        with torch.autocast(self.cuda_device.type, enabled=False):
            (loss if self._scaler is None else self._scaler.scale(loss)).backward()
        self.rescale_gradients()
        if self._scaler is None:
            self.optimizer.step()
        else:
            self._scaler.step(self.optimizer)
            self._scaler.update()
            self.optimizer.zero_grad()  # of a step that the scaler left out

    def rescale_gradients(self) -> Optional[torch.Tensor]:
        """Average the active network's gradient over accumulated batches and over workers, and
        clip it to the network's `grad_norm`, if its step is due."""
        if not self.optimizer.is_due():
            return None
        return self._prepare_gradients(self.optimizer.accumulation_steps[self.optimizer.active])

    def _prepare_gradients(self, count: int) -> Optional[torch.Tensor]:
        self.optimizer.average(count)
        if self._scaler is not None and self.optimizer.is_clipped():
            self._scaler.unscale_(self.optimizer)
        return self.optimizer.clip()

    def _train_epoch(self, epoch: int) -> Dict[str, float]:
        worker = self.turns.worker
        worker.random.start_epoch(epoch)
        start_epoch(self.model, epoch)
        self._start_phase(epoch)
        try:
            metrics = super()._train_epoch(epoch)
        except ValueError as error:
            is_nan = self._last_loss is not None and bool(self._last_loss.isnan())
            if not is_nan and not isinstance(error, NanScoreError):
                raise
            batch = self._batches_in_epoch_completed + 1
            raise nan_loss_error(self.model, epoch, batch, error) from error
        if epoch < self._start_after_epochs_completed:  # only its data were read, to recover
            return metrics
        worker.random.restore_torch()  # if the run resumed after the last batch of the epoch
        for network, count in self.optimizer.accumulated.items():
            if count:  # the epoch ended within an accumulation
                self.optimizer.active = network
                self._prepare_gradients(count)
                self.optimizer.accumulated[network] = self.optimizer.accumulation_steps[network] - 1
                self.optimizer.step()
        return worker.metrics.of_epoch(metrics, self._batches_in_epoch_completed)

    def _start_phase(self, epoch: int) -> None:
        schedule = self.turns.schedule
        if isinstance(self._learning_rate_scheduler, JointScheduler):
            self._learning_rate_scheduler.active = set(schedule.active(epoch))
        # The best epoch is one of the last phase. Epochs before the checkpoint are in the tracker.
        if self._start_after_epochs_completed <= epoch <= schedule.last_phase:
            self._metric_tracker._best_so_far = None
            self._metric_tracker._epochs_with_no_improvement = 0

    def _validation_loss(self, epoch: int) -> Tuple[float, Optional[float], int]:
        with self.model.fitting():
            return super()._validation_loss(epoch)

    def _try_train(self) -> Tuple[Dict[str, Any], int]:
        if self._primary:
            logger.info("The tree of logged values:\n%s", self.model.describe())
            if self._serialization_dir is not None:
                record_environment(Path(self._serialization_dir), self.cuda_device)
        self._num_epochs = epochs_to_train(self)
        with without_subnormals():
            metrics, epoch = super()._try_train()
        if "epoch" not in metrics:  # the run was killed after its last epoch
            self.turns.worker.random.restore()
            return {**metrics_of_epoch(self._serialization_dir, epoch), **metrics}, epoch
        return self.turns.worker.metrics.of_run(metrics), epoch

    def get_checkpoint_state(self) -> Any:
        """Return the base class's state with that of each worker."""
        between_epochs = self._batches_in_epoch_completed == 0
        states = all_gather_object(self.turns.worker.state_dict(between_epochs))
        checkpoint = super().get_checkpoint_state()
        if checkpoint is not None:
            checkpoint.trainer_state["workers"] = states
        return checkpoint

    def _maybe_restore_checkpoint(self) -> None:
        super()._maybe_restore_checkpoint()
        state = None if self._checkpointer is None else self._checkpointer.load_checkpoint()
        if state is not None:
            self.turns.worker.load_state_dict(own_part(state.trainer_state["workers"]))
