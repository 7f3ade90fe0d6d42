#!/bin/sh
# Slurm's Epilog on a node that sells what the cluster leaves idle: ends the pauses that prolog.sh made for this job, and no
# others. A GPU that another Slurm job still has stays paused for that one, and so does one that the owner paused.
#
# Always exit 0: a GPU that stays paused is no reason to drain the node.
set -eu
# Slurm sets none.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# A wrapper may set it.
agent=${AGENT:-sharedcloud-agent}
job=${SLURM_JOB_ID:-}
gpus=${SLURM_JOB_GPUS:-${SLURM_STEP_GPUS:-${CUDA_VISIBLE_DEVICES:-}}}

say() {
  logger -t sharedcloud-slurm -- "job $job: $*" 2>/dev/null || true
  printf 'sharedcloud-slurm: job %s: %s\n' "$job" "$*" >&2
}

# Whether the job had every CPU of each of its nodes; as Slurm writes it: 64(x2),32.
whole_node() {
  least=$(printf '%s\n' "${SLURM_JOB_CPUS_PER_NODE:-0}" | tr ',' '\n' | sed 's/(.*//' | sort -n | head -n 1)
  [ "$least" -ge "$(nproc --all)" ]
}

[ -n "$job" ] && command -v "$agent" >/dev/null 2>&1 || exit 0
[ -n "$gpus" ] || whole_node || exit 0

code=0
answer=$(timeout --foreground --kill-after=5 45 "$agent" resume --tag "slurm:$job" 2>&1) || code=$?
[ "$code" = 0 ] || say "resume ended with $code, and its GPUs stay paused until \`sharedcloud-agent resume --tag slurm:$job\`: $answer"
exit 0
