#!/bin/bash
# A job of SLURM that trains on several nodes, one process for each of their GPUs:
#
#     sbatch scripts/slurm.sh training_configs/multi_label/delicious/inference_network.jsonnet runs/delicious
#
# It goes on from its last checkpoint where it is started again, by SLURM or by hand.
#SBATCH --job-name=structured-energy
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --requeue
#SBATCH --open-mode=append

set -euo pipefail
# Where one node fails, the others do not wait for it.
srun --kill-on-bad-exit=1 python scripts/train_on_nodes.py "$1" -s "$2"
