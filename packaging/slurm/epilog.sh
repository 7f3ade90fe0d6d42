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

say() {
  logger -t sharedcloud-slurm -- "job $job: $*" 2>/dev/null || true
  printf 'sharedcloud-slurm: job %s: %s\n' "$job" "$*" >&2
}

[ -n "$job" ] && command -v "$agent" >/dev/null 2>&1 || exit 0

# Also for a job that seems to have nothing: the epilog gets fewer variables than the prolog.
code=0
answer=$(timeout --foreground --kill-after=5 45 "$agent" resume --tag "slurm:$job" 2>&1) || code=$?
[ "$code" = 0 ] || say "resume ended with $code, and what it had stays paused until \`sharedcloud-agent resume --tag slurm:$job\`: $answer"
exit 0
