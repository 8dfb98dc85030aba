#!/usr/bin/env bash
# What the enclave needs of the machine: Debian packages, and a running Docker Engine. Does nothing that is done already.
set -euo pipefail

have() { command -v "$1" >/dev/null 2>&1; }

wanted=()
have dockerd || wanted+=(docker.io)
have iptables || wanted+=(iptables)
have mmdebstrap || wanted+=(mmdebstrap)
have node || wanted+=(nodejs)
have npm || wanted+=(npm)
have git || wanted+=(git)
have chromium || have chromium-browser || have google-chrome || wanted+=(chromium)
python3 -c 'import ensurepip' 2>/dev/null || wanted+=(python3-venv)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || wanted+=(postgresql)
[ -e /etc/ssl/certs/ca-certificates.crt ] || wanted+=(ca-certificates)

if [ "${#wanted[@]}" -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] || ! have apt-get; then
    echo "These Debian packages are missing: ${wanted[*]}. Install them as root: apt-get install ${wanted[*]}" >&2
    exit 1
  fi
  echo "Installing Debian packages: ${wanted[*]}"
  export DEBIAN_FRONTEND=noninteractive
  log="$(mktemp)"
  # PostgreSQL is only used by tests, on a socket of their own: no server of the system is to be started for it.
  if [[ " ${wanted[*]} " == *" postgresql "* ]]; then
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
  fi
  apt-get update -qq >"$log" 2>&1 || true
  if ! apt-get install -y -qq --no-install-recommends "${wanted[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "Debian packages could not be installed. Repair what apt-get says above, then run this again." >&2
    exit 1
  fi
  rm -f "$log"
fi

docker_answers() { docker info >/dev/null 2>&1; }

# Without systemd nobody may have mounted the control groups that limit memory and processes.
mount_cgroups() {
  mountpoint -q /sys/fs/cgroup && return
  mount -t tmpfs -o uid=0,gid=0,mode=0755 cgroup /sys/fs/cgroup
  for group in $(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups); do
    mkdir -p "/sys/fs/cgroup/$group"
    mount -t cgroup -o "$group" cgroup "/sys/fs/cgroup/$group" || rmdir "/sys/fs/cgroup/$group"
  done
}

if ! docker_answers; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "Docker Engine does not answer. Start it as root (systemctl start docker), or add yourself to the group docker." >&2
    exit 1
  fi
  echo "Starting Docker Engine"
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    mount_cgroups
    mkdir -p /var/log
    nohup setsid dockerd >/var/log/dockerd-enclave.log 2>&1 </dev/null &
    # Whoever began with a machine without Docker, such as a CI run, can end what was started here.
    if [ -n "${ENCLAVE_DOCKERD_PID_FILE:-}" ]; then echo "$!" >"$ENCLAVE_DOCKERD_PID_FILE"; fi
  fi
  for _ in $(seq 1 120); do docker_answers && break; sleep 0.5; done
  if ! docker_answers; then
    tail -n 10 /var/log/dockerd-enclave.log 2>/dev/null >&2 || true
    echo "Docker Engine could not be started on this machine; sessions need it. See /var/log/dockerd-enclave.log above." >&2
    exit 1
  fi
fi
