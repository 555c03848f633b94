#!/usr/bin/env bash
# A sweep as a job of a Ray cluster that is up: examples/clusters/submit.sh [SPEC]
# RAY_API_SERVER_ADDRESS says where its dashboard answers, as http://head:8265. The current folder travels (code,
# spec, and photographs if they lie in it); rows are written on the head, below RUNS.
set -euo pipefail

SPEC="${1:-default}"
RUNS="${RUNS:-$HOME/antsbees-runs}"
export RAY_AUTH_MODE=token # the token is the cluster's: RAY_AUTH_TOKEN, or ~/.ray/auth_token

ray job submit \
    --working-dir . \
    --runtime-env-json '{"excludes": [".venv", ".git", "runs"]}' \
    -- python -m sweeps.cli sweep "$SPEC" --runs "$RUNS"
