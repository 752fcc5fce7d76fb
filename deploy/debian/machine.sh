#!/usr/bin/env bash
# Runs a command as root on a copy of this machine, under a systemd of its own: machine.sh FOLDER COMMAND [ARGUMENT...]
#
# The copy is an overlay of the root folder in namespaces of its own, without network but loopback. FOLDER is there as
# /run/check, and what is written into it is all that stays. Prints what the command printed, and ends with its exit code.
# Needs root and Debian's systemd.
set -euo pipefail

main() {
  case ${MACHINE_STAGE:-} in
    '') MACHINE_STAGE=mounts exec unshare --mount --propagation private "$0" "$@" ;;
    mounts) outside "$@" ;;
    inside) inside "$@" ;;
  esac
}

# With mounts that nobody else sees: makes the control group that those inside take for the root.
outside() {
  local folder groups group code
  folder=$(realpath "$1")
  groups=$folder/groups
  group=$groups/machine-$$
  mkdir "$groups"
  mount -t cgroup2 cgroup2 "$groups"
  mkdir "$group"
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    MACHINE_STAGE=inside exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup "$0" "$@"
  ) || true
  find "$group" -depth -type d -exec rmdir {} \; || true
  umount "$groups"
  rmdir "$groups"
  cat "$folder/output" || true
  code=$(cat "$folder/code") || code=125
  exit "$code"
}

# As process 1: makes the copy, and becomes its systemd, which has one thing to do.
inside() {
  local folder
  folder=$(realpath "$1")
  shift
  printf '%q ' "$@" >"$folder/command"
  ip link set lo up
  mount -t tmpfs tmpfs /mnt
  mkdir /mnt/changes /mnt/work /mnt/root
  mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/changes,workdir=/mnt/work /mnt/root
  cd /mnt/root
  system_folders
  mkdir run/check # in a folder made here: the machine may have any other
  mount --bind "$folder" run/check
  # Images of containers forbid packages to start their services.
  rm -f usr/sbin/policy-rc.d
  units

  # Not chroot: a process in one can make no user namespace, which PrivateUsers= needs.
  mkdir mnt/before
  pivot_root . mnt/before
  umount --lazy mnt/before
  export container=meterbox-check
  exec /lib/systemd/systemd --system --unit=check.service --show-status=no --log-target=console --log-level=warning
}

system_folders() {
  local device
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  mount -t tmpfs -o mode=755 tmpfs dev
  mkdir dev/shm dev/pts
  mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
}

# None of the machine's own services starts: the targets that units wait for are empty.
units() {
  local target units=etc/systemd/system
  for target in sysinit basic multi-user sockets timers paths slices network-online; do
    rm -rf "$units/$target.target" "$units/$target.target.wants"
    printf '[Unit]\nDescription=Nothing\n' >"$units/$target.target"
  done
  cat >"$units/check.service" <<'EOF'
[Unit]
DefaultDependencies=no
Wants=systemd-journald.service
After=systemd-journald.service
SuccessAction=exit-force
FailureAction=exit-force

[Service]
Type=oneshot
WorkingDirectory=/run/check
ExecStart=/bin/bash -c '. ./command >output 2>&1 </dev/null; echo $? >code'
EOF
}

main "$@"
