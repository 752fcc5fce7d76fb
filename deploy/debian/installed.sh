#!/usr/bin/env bash
# What check.sh does on the copy of the machine: the package's whole life, under systemd.
set -euo pipefail
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive
page=http://127.0.0.1:8080/metrics

fail() {
  echo "failed: $*"
  systemctl --no-pager status meterbox || true
  journalctl --no-pager --lines 50 --unit meterbox || true
  exit 1
}
ok() { echo "ok: $*"; }

# within SECONDS COMMAND...: until it succeeds.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "not in time: $*"
    sleep 0.1
  done
}
answers() { curl --silent --fail --output /dev/null http://127.0.0.1:8080/-/ready; }
shows() { curl --silent --fail "$page" >page && grep -q "$1" page; }
main_pid() { systemctl show --property MainPID --value meterbox; }
traces() { find /etc /usr /var /run /home /opt /root -xdev -iname '*meterbox*' | sort; }

systemd-analyze --version >/dev/null || fail "no systemd-analyze"
traces >before

dpkg --install meterbox.deb >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg --install"; }
within 30 answers
ok "the service is started by the installation"
shows '^node_memory_MemTotal_bytes [1-9]' || fail "no memory figures"
shows '^meterbox_plugin_up{plugin="meminfo"} 1$' || fail "the plugin is down"
ok "it serves the plugin of its config"

systemd-analyze verify --man=no meterbox.service || fail "systemd-analyze verify"
systemd-analyze security --no-pager --threshold=15 meterbox.service >security || { cat security; fail "systemd-analyze security"; }
ok "$(tail -1 security | sed 's/^→ //; s/ [^ ]*$//')"

pid=$(main_pid)
[ "$(stat -c %U "/proc/$pid")" = meterbox ] || fail "it runs as another user"
grep -q '^CapEff:[[:space:]]*0*$' "/proc/$pid/status" || fail "it has capabilities"
grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$pid/status" || fail "it may gain privileges"
grep -q '^Seccomp:[[:space:]]*2$' "/proc/$pid/status" || fail "it may make every system call"
ok "user, capabilities and system calls are confined"

[ "$(stat -c '%U %a' /var/lib/meterbox)" = "meterbox 700" ] || fail "the state directory is open to others"
find /var/lib/meterbox/code -type f | grep -q . || fail "compiled code is not kept"
! journalctl --unit meterbox | grep -i "level=\(warn\|error\)" || fail "it warns"
ok "plugins are compiled in the sandbox of the unit, and kept"

zgrep -q 'config.file' /usr/share/man/man1/meterbox-serve.1.gz || fail "no manual page"
bash -c '. /usr/share/bash-completion/completions/meterbox && complete -p meterbox' >/dev/null || fail "no completion"
ok "manual page and completion"

sed -i 's/^grants = .*/&\nlabels = { kept = "yes" }/' /etc/meterbox/meterbox.toml
systemctl reload meterbox
within 10 shows '^node_memory_MemTotal_bytes{kept="yes"} '
[ "$(main_pid)" = "$pid" ] || fail "a reload is a restart"
ok "systemctl reload takes a changed config"

dpkg --force-confdef --force-confold --install next.deb >dpkg.log 2>&1 || { cat dpkg.log; fail "upgrade"; }
within 30 answers
[ "$(main_pid)" != "$pid" ] || fail "the upgrade did not restart it"
within 10 shows '^node_memory_MemTotal_bytes{kept="yes"} '
grep -q 'A line of the next version' /etc/meterbox/meterbox.toml.dpkg-dist || fail "the next config is not offered"
ok "an upgrade keeps the changed config and restarts the service"

systemctl stop meterbox
[ "$(systemctl show --property Result --value meterbox)" = success ] || fail "it does not stop well"
ok "it stops with success"

dpkg --remove meterbox >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg --remove"; }
grep -q kept /etc/meterbox/meterbox.toml || fail "removal took the config"
dpkg --purge meterbox >dpkg.log 2>&1 || { cat dpkg.log; fail "dpkg --purge"; }
traces >after
diff before after || fail "purge leaves the above"
! dpkg --status meterbox >/dev/null 2>&1 || fail "dpkg still knows it"
ok "purge leaves nothing"
