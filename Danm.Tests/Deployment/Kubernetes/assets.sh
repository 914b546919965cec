#!/usr/bin/env bash
# Makes FOLDER/etcd, FOLDER/kube-apiserver, FOLDER/judge and FOLDER/bin/kubectl of what Debian's packages have of Kubernetes: its own code for definitions and their
# objects, and for policies. There is no package of the whole kube-apiserver.
#   sudo assets.sh FOLDER
set -euo pipefail
here=$(dirname "$(realpath "$0")")
folder=$(realpath -m "$1")
root=$folder/debian
mkdir -p "$folder"

# Programs there find themselves by /proc; its mount namespace ends with each.
inside() {
  unshare --mount bash -euo pipefail -c 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"' "$root" "$@"
}

if [[ ! -e $folder/installed ]]; then
  command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase sid "$root" http://deb.debian.org/debian >"$folder/debootstrap.log"
  cp /etc/resolv.conf "$root/etc/"
  # How this machine reaches packages.
  cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  inside apt-get update -qq
  inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    golang-go etcd-server golang-k8s-apiserver-dev golang-k8s-apiextensions-apiserver-dev kubernetes-client >"$folder/install.log"
  touch "$folder/installed"
fi

rm -rf "$root/usr/share/gocode/src/danm"
mkdir "$root/usr/share/gocode/src/danm"
cp -r "$here/server" "$here/judge" "$root/usr/share/gocode/src/danm/"
inside env HOME=/root GO111MODULE=off GOPATH=/usr/share/gocode CGO_ENABLED=0 go build -o /srv/ danm/server danm/judge
cp "$root/srv/server" "$folder/kube-apiserver"
cp "$root/srv/judge" "$folder/judge"
mkdir -p "$folder/bin"
# With the C library that they were linked to.
for program in etcd bin/kubectl; do
  cat >"$folder/$program" <<PROGRAM
#!/bin/sh
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/lib/x86_64-linux-gnu" "$root/usr/bin/${program#bin/}" "\$@"
PROGRAM
  chmod 755 "$folder/$program"
done
