#!/usr/bin/env bash
# Installs what the build and the tests need (as root on Debian or Ubuntu), then runs a target of build.cake:
#   ./build.sh --target=Demo|Test|Publish|Image|Build|Benchmark|Kubernetes|Clean
set -euo pipefail
cd "$(dirname "$0")"

command -v dotnet >/dev/null || { echo "error: the .NET 10 SDK is missing: https://dot.net" >&2; exit 1; }

# program or file that shows whether it is there, and the package that brings it
needs=(
  clang:clang cmake:cmake make:make ip:iproute2 ping:iputils-ping strace:strace modprobe:kmod
  linux.uml:user-mode-linux /usr/include/openssl/ssl.h:libssl-dev /usr/include/zlib.h:zlib1g-dev
  /usr/lib/cni/macvlan:containernetworking-plugins iptables:iptables kubectl:kubernetes-client zsh:zsh fish:fish
  containerd:containerd runc:runc dig:bind9-dnsutils curl:curl haproxy:haproxy jq:jq
)
missing=()
for need in "${needs[@]}"; do
  what=${need%%:*}
  [[ $what == /* && -e $what ]] || [[ $what != /* && -n $(PATH="$PATH:/usr/sbin:/sbin" command -v "$what") ]] || missing+=("${need#*:}")
done
if ((${#missing[@]})); then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "error: these packages (names of Debian) are missing: ${missing[*]}" >&2
    echo "       install them, or run this script as root on Debian or Ubuntu" >&2
    exit 1
  fi
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Offline, systemctl starts no service of a package: the tests start what they need, in namespaces of their own.
  SYSTEMD_OFFLINE=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

dotnet tool restore >/dev/null
exec dotnet cake build.cake "$@"
