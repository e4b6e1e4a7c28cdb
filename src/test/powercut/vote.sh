#!/usr/bin/env bash
# A term that AtomicFileOutputStream has reported as written is there after a power cut.
# Needs root, loop devices and compiled tests. Usage: src/test/powercut/vote.sh [rounds] [ext4|xfs]
# CLASSES=ratis-common.jar:slf4j-api.jar runs the class that ours replaces: it loses every round.
# Each round: writer on a file system in a file, stop it, cut the power (the file system's shutdown
# ioctl without a log flush), kill it, mount again, compare.
set -euo pipefail
rounds=${1:-5}
kind=${2:-ext4}
java=${JAVA_HOME:?set JAVA_HOME to a JDK 25}/bin/java
[ "$(id -u)" = 0 ] || { echo "skipped: needs root" >&2; exit 0; }
work=$(mktemp -d)
writer=0
cleanup() {
  [ "$writer" = 0 ] || kill -9 "$writer" 2>/dev/null || true
  umount -l "$work/mnt" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
truncate -s 512M "$work/disk"
"mkfs.$kind" -q "$work/disk"
mkdir "$work/mnt"
lost=0
for round in $(seq "$rounds"); do
  mount -o loop "$work/disk" "$work/mnt"
  rm -f "$work/mnt"/raft-meta*
  sync -f "$work/mnt"
  "$java" -cp "${CLASSES:-target/classes}:target/test-classes" \
    org.apache.ratis.util.VoteWriter "$work/mnt/raft-meta" > "$work/acked" &
  writer=$!
  for _ in $(seq 1000); do grep -qx 20 "$work/acked" && break; sleep 0.01; done
  kill -STOP "$writer"
  python3 - "$work/mnt" <<'PY'
import fcntl, os, struct, sys
directory = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(directory, 0x8004587D, struct.pack("I", 2))  # FS_IOC_SHUTDOWN, no log flush
PY
  kill -9 "$writer"
  wait "$writer" 2>/dev/null || true
  writer=0
  umount "$work/mnt"
  mount -o loop "$work/disk" "$work/mnt"
  acked=$(grep -E '^[0-9]+$' "$work/acked" | tail -1)
  found=$(sed -n 's/^term=//p' "$work/mnt/raft-meta" 2>/dev/null || true)
  umount "$work/mnt"
  verdict=kept
  [ "${found:-0}" -ge "$acked" ] || { verdict=LOST; lost=$((lost + 1)); }
  echo "round $round: acknowledged term $acked, found ${found:-none}: $verdict"
done
[ "$lost" = 0 ]
