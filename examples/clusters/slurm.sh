#!/usr/bin/env bash
# A sweep on several machines of a SLURM cluster: sbatch examples/clusters/slurm.sh
# Every machine needs what constraints.txt lists (a shared environment, or a container); the code and
# the photographs travel from the first machine. Needs Ray 2.52 for the token.
#SBATCH --job-name=antsbees
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=01:00:00
##SBATCH --gpus-per-node=1

set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"

SPEC="${SPEC:-default}"

mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
address="${hosts[0]}:6379"

# Who may connect: nobody without this job's token.
RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_MODE RAY_AUTH_TOKEN

# The same command on every machine: Ray starts on all, the sweep runs on the first.
export PATH="$PWD/.venv/bin:$PATH"
srun --ntasks-per-node=1 ray symmetric-run \
    --address "$address" \
    --min-nodes "$SLURM_JOB_NUM_NODES" \
    -- antsbees sweep "$SPEC" ${DATA:+--data "$DATA"} --address "$address"
