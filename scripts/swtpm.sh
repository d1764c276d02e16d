#!/usr/bin/env bash
# A software TPM on a private socket: scripts/swtpm.sh start DIR | stop DIR
# `start` prints the value for TPM2TOOLS_TCTI. State, socket and process id stay inside DIR; nothing else on the machine is touched.
set -euo pipefail
action=${1:?usage: swtpm.sh start|stop DIR}
dir=$(cd "${2:?usage: swtpm.sh start|stop DIR}" && pwd)
case "$action" in
  start)
    mkdir -p "$dir/state"
    swtpm socket --tpm2 --tpmstate "dir=$dir/state" \
      --server "type=unixio,path=$dir/sock" --ctrl "type=unixio,path=$dir/sock.ctrl" \
      --flags not-need-init,startup-clear --pid "file=$dir/pid" --daemon
    echo "swtpm:path=$dir/sock"
    ;;
  stop)
    [ -f "$dir/pid" ] && kill "$(cat "$dir/pid")" 2>/dev/null || true
    ;;
  *) echo "usage: swtpm.sh start|stop DIR" >&2; exit 2 ;;
esac
