# Starts a User Mode Linux guest, as process 1 of a process, mount and network namespace that die with it.
#
#   bash guest-boot.sh DIRECTORY      DIRECTORY is shared with the guest
#
# Standard input and output become the guest's serial line, standard error its console.

set -e
share=$1
. "$share/options"    # memory= mtu= host_addresses=()

# The guest's memory is a file, which must be mappable as executable: /dev/shm often is not, or is too small.
mkdir "$share/memory"
mount -t tmpfs -o mode=700 tmpfs "$share/memory"
export TMPDIR=$share/memory

ip link set lo up
ip tuntap add tap0 mode tap
ip link set tap0 mtu "$mtu" up
for address in "${host_addresses[@]}"; do
    case $address in
        *:*) ip address add "$address" dev tap0 nodad ;;
        *) ip address add "$address" dev tap0 ;;
    esac
done

# The host's TCP sends segments of up to 64 KiB into a tap; without gro the guest's driver cuts them off at its MTU.
# Measuring RAID algorithms and making 256 old-style terminals is nearly half of the kernel's boot.
exec linux.uml "mem=${memory}M" rootfstype=hostfs rootflags=/ rw quiet \
    initcall_blacklist=raid6_select_algo pty.legacy_count=0 \
    umid=guest "uml_dir=$share/memory" \
    con=null con0=null,fd:2 ssl=null ssl0=fd:0,fd:1 \
    "vec0:transport=tap,ifname=tap0,mtu=$mtu,gro=1" \
    init=/bin/bash -- "$share/guest-init.sh" "$share"
