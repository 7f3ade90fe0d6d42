#!/bin/sh
# Slurm's Prolog on a node that sells what the cluster leaves idle: takes the job's GPUs back from SharedCloud jobs and
# returns when their memory is free. epilog.sh gives them back. Set-up and limits: docs/slurm.md.
#
# Exit 0: the job may start, also where no agent runs. Exit 1: Slurm drains the node and starts the job elsewhere.
# -f: a list that Slurm gives is never a pattern of file names.
set -euf
# Slurm sets none.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# A wrapper may set both.
agent=${AGENT:-sharedcloud-agent}
slurmd=${SLURMD:-slurmd}
job=${SLURM_JOB_ID:-}
gpus=${SLURM_JOB_GPUS:-${SLURM_STEP_GPUS:-${CUDA_VISIBLE_DEVICES:-}}}

say() {
  logger -t sharedcloud-slurm -- "job $job: $*" 2>/dev/null || true
  printf 'sharedcloud-slurm: job %s: %s\n' "$job" "$*" >&2
}

# Whether the job gets every CPU of each of its nodes; as Slurm writes it: 64(x2),32.
whole_node() {
  least=$(printf '%s\n' "${SLURM_JOB_CPUS_PER_NODE:-0}" | tr ',' '\n' | sed 's/(.*//' | sort -n | head -n 1)
  [ "$least" -ge "$(nproc --all)" ]
}

# What Slurm knows of this node's devices, one record a line. slurmd, which runs this, must be called by this name.
gres() {
  exe=$(readlink "/proc/$PPID/exe" || true)
  PATH=${exe%/*}:$PATH
  timeout --foreground 20 "$slurmd" -G -N "${SLURMD_NODENAME:-}" 2>&1 || timeout --foreground 20 "$slurmd" -G 2>&1
}

# Slurm numbers GPUs by their place in gres.conf. Prints the minor numbers of the device files of places such as 0,2,
# without those that are not Nvidia's.
minors_of() {
  gres | awk -v wanted="$1" '
    function add(name) {
      file[++files] = match(name, /nvidia[0-9]+$/) ? substr(name, RSTART + 6) : "other"
    }
    # A name such as /dev/nvidia[0-2,5].
    function expand(name,    open, parts, count, i, ends, n) {
      open = index(name, "[")
      if (!open) { add(name); return }
      count = split(substr(name, open + 1, index(name, "]") - open - 1), parts, ",")
      for (i = 1; i <= count; i++) {
        if (split(parts[i], ends, "-") == 1) ends[2] = ends[1]
        for (n = ends[1] + 0; n <= ends[2] + 0; n++) add(substr(name, 1, open - 1) n)
      }
    }
    / Name=gpu / {
      devices = 0; list = ""; files = 0
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^Count=/) devices = substr($i, 7) + 0
        if ($i ~ /^File=/) list = substr($i, 6)
      }
      while (match(list, /^[^,\[]+(\[[^]]*\])?/)) {
        name = substr(list, 1, RLENGTH)
        list = substr(list, RLENGTH + 2)
        expand(name)
      }
      # One device with several files is a MIG slice, and its GPU is the first file.
      for (i = 1; i <= devices; i++) minor[places++] = files == devices ? file[i] : file[1]
    }
    END {
      list = ""
      count = split(wanted, place, ",")
      for (i = 1; i <= count; i++) {
        found = minor[place[i]]
        if (found == "") exit 1
        if (found != "other") list = list (list == "" ? "" : ",") found
      }
      print list
    }'
}

# Whether an agent runs here, also one that does not answer.
runs() {
  timeout --foreground 15 "$agent" health >/dev/null 2>&1 || systemctl is-active --quiet sharedcloud-agent.service 2>/dev/null
}

[ -n "$job" ] && command -v "$agent" >/dev/null 2>&1 || exit 0

set -- --yes --tag "slurm:$job" --note "Slurm job $job of ${SLURM_JOB_USER:-unknown}"
targets=0
places=
# A MIG slice is named by its uuid, and in the same place of the other list by a number.
devices=${CUDA_VISIBLE_DEVICES:-$gpus}
for place in $(printf %s "$gpus" | tr ',' ' '); do
  device=${devices%%,*}
  devices=${devices#*,}
  case $device in
    MIG-* | GPU-*) set -- "$@" "$device" && targets=1 ;;
    *) places="$places${places:+,}$place" ;;
  esac
done
if [ -n "$places" ]; then
  if ! minors=$(minors_of "$places"); then
    say "slurmd -G does not show the device files of GPUs $places: taken for minor numbers"
    minors=$places
  fi
  [ -z "$minors" ] || set -- "$@" --gpu-minor "$minors"
  [ -z "$minors" ] || targets=1
fi
if whole_node; then
  set -- "$@" cpu
  targets=1
fi
[ "$targets" = 1 ] || exit 0

code=0
answer=$(timeout --foreground --kill-after=5 60 "$agent" reclaim "$@" 2>&1) || code=$?
[ "$code" != 0 ] || exit 0
say "reclaim ended with $code: $answer"
runs || exit 0
exit 1
