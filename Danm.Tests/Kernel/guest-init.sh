# Process 1 of a User Mode Linux guest: sets the guest up, then runs the commands that the host asks for.
#
#   bash guest-init.sh DIRECTORY      DIRECTORY is shared with the host
#
# The host asks with lines on the serial line, /dev/ttyS0; the answers go back the same way:
#   run ID     start DIRECTORY/ID.sh   ->  exit ID STATUS, once its output is in ID.out and ID.err
#   kill ID    kill its process group  ->  killed ID
#   halt       (or the end of the line: the host is gone)
# "ready" says that the guest is set up; "failed WHAT", in its place, that it is not.

share=$1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
. "$share/options"    # temporary= modules=() overlays=() tmpfs=() mtu= addresses=()

exec 3<>/dev/ttyS0
stty raw -echo <&3

# By the kernel alone: not every machine has a program for it.
halt() {
    echo o >/proc/sysrq-trigger
    sleep 60
}

step() {
    "$@" || { echo "failed $*" >&3; sleep 1; halt; }
}

step mount -t proc proc /proc
step mount -t sysfs sysfs /sys
step mount -t tmpfs tmpfs /run
mkdir /run/lock /run/guest

# modprobe looks below lib/modules only.
kernel=$(uname -r)
step mkdir -p "/run/guest/lib/modules/$kernel"
step mount --bind "/usr/lib/uml/modules/$kernel" "/run/guest/lib/modules/$kernel"
step modprobe -d /run/guest -a overlay "${modules[@]}"

# Shared with the host, also where an overlay is about to hide it.
step mkdir /run/guest/temporary
step mount --bind "$temporary" /run/guest/temporary

# The root is the host's. What the guest writes stays in its memory, but for the system's temporary directory.
for directory in "${overlays[@]}"; do
    layers=/run/guest/overlay$directory
    step mkdir -p "$layers/upper" "$layers/work"
    step mount -t overlay -o "lowerdir=$directory,upperdir=$layers/upper,workdir=$layers/work" overlay "$directory"
done
step mount --bind /run/guest/temporary "$temporary"
step mount -o remount,bind,ro /
for directory in "${tmpfs[@]}"; do
    step mkdir -p "$directory"
    step mount -t tmpfs -o mode=755 tmpfs "$directory"
done

step ip link set lo up
step ip link set vec0 mtu "$mtu" up
for address in "${addresses[@]}"; do
    step ip address add "$address" dev vec0
done

run() {
    ( . "$share/$1.sh" ) </dev/null >"$share/$1.out" 2>"$share/$1.err" 3>&-
    local status=$?
    settle "$1"
    echo "exit $1 $status" >&3
}

# hostfs writes a file back to the host when a writer closes it, and a process left behind may hold it open.
settle() {
    : >>"$share/$1.out"
    : >>"$share/$1.err"
}

set -m    # each command becomes a process group of its own, which "kill" ends
declare -A groups
echo ready >&3
while read -r verb id <&3; do
    case $verb in
        run) run "$id" & groups[$id]=$! ;;
        kill) kill -KILL -- "-${groups[$id]}"; settle "$id"; echo "killed $id" >&3 ;;
        halt) break ;;
    esac
done
halt
