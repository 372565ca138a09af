#!/bin/sh
# The first process of a stock Linux: it looks at the machine, puts it to work, says how that went, powers off.
#
# Words of the kernel's command line steer it; Linux hands those that it does not know itself to us as variables.
#   cpus=2                expect two processors
#   wire=ttyS1:send       send a file over this serial line, or wire=ttyS1:receive and check its hash
#   rounds=20             work that many short rounds, four a second, with a line after each
#   trace=10              have the kernel trace its functions, by changing its own code, for so many forks
#   devmem=0x40000000     read a word at this physical address; devmem=0x40000000:1 writes one
#   disk=make             make a file system on the virtio disk, and a file in it; disk=check finds that again
#   disk=ext4             check the files of an ext4 on it by their sums, and write one more
#   net=10.0.0.1:serve=4  have that address, and let others fetch 4 MiB; net=10.0.0.2:fetch=10.0.0.1 is who does
#   hwrng=1               read random numbers of the machine's
#   hvc=1                 say something on a virtio console
#   die=panic             crash the kernel at the end; die=reboot restarts it (with reboot=t: by triple fault)
#   dmesg=1               print the kernel's log at the end

PATH=/bin
BAUD=115200

say() { echo "init: $*"; }

# stty sets nothing new, but waits until the console has sent all: power-off does not.
finish() {
    [ "$dmesg" ] && dmesg
    say "$@"
    stty opost
    poweroff -f
}

fail() { finish "FAILED: $*"; }

# same HASH WHAT: standard input has this hash.
same() { [ "$(sha256sum | cut -c -16)" = "$1" ] || fail "wrong hash of $2"; }

banner() {
    say "$(uname -sr), $(nproc) processors, $(grep MemTotal /proc/meminfo | tr -s ' ')"
    [ "${cpus:-$(nproc)}" = "$(nproc)" ] || fail "expected $cpus processors"
}

# Pipelines with known results, and a hundred processes whose exit codes must add up.
work() {
    seq 20000 | sort -r | same 32e8bfc1888e4abc "twenty thousand sorted lines"
    seq 20000 | gzip | gunzip | same f6351f5ead9a700e "twenty thousand lines, packed and unpacked"
    seq 300 | xargs -n 10 /bin/busybox echo | tr ' ' '+' | bc | same 8d906f20b6c4fa88 "thirty sums"
    forks 100 5050
    say "worked: three pipelines, a hundred forks"
}

# forks N SUM: N processes whose exit codes add up to SUM.
forks() {
    sum=0
    for i in $(seq "$1"); do
        (exit "$i")
        sum=$((sum + $?))
    done
    [ $sum = "$2" ] || fail "$1 exit codes add up to $sum"
}

# While others live and die: the uptime after each round tells when it was.
rounds() {
    for round in $(seq "$rounds"); do
        sleep .2
        seq 2000 | sort -r | same b09fec8add193649 "two thousand sorted lines"
        forks 10 55
        say "round $round of $rounds, up $(cut -d ' ' -f 1 /proc/uptime)"
    done
}

# The receiver calls "ready" until it hears from the sender, whoever of the two is up first: what reaches a closed
# line is lost, and what reaches one that is open but not yet raw comes back as an echo. Then come the word "file",
# length and hash, in a line of their own behind whatever was echoed, the bytes as they are, and the verdict.
wire() {
    line=/dev/${wire%:*}
    stty -F "$line" "$BAUD" raw -echo || fail "no line $line"
    exec 3<> "$line"
    "${wire#*:}" || fail "wire=$wire says neither send nor receive"
    exec 3>&-
}

send() {
    head -c 16384 /bin/busybox > /tmp/file
    sum=$(sha256sum < /tmp/file)
    until [ "$word" = ready ]; do read -r word <&3; done
    { echo; echo "file 16384 $sum"; cat /tmp/file; } >&3
    while [ "$word" = ready ]; do read -r word <&3; done
    [ "$word" = received ] || fail "the other end of $line says: $word"
    say "sent 16384 bytes over $line, sha256 ${sum%% *}"
}

receive() {
    while sleep 1; do echo ready; done >&3 &
    until [ "$word" = file ]; do read -r word length sum <&3; done
    kill $!
    head -c "$length" <&3 > /tmp/file
    [ "$(sha256sum < /tmp/file)" = "$sum" ] || { echo broken >&3; fail "broken file from $line"; }
    echo received >&3
    say "received $length bytes over $line, sha256 ${sum%% *}"
}

# Ftrace writes a call into the head of every function, on all processors at work, and takes it out again.
trace() {
    mount -t tracefs tracing /sys/kernel/tracing || fail "no tracefs"
    cd /sys/kernel/tracing
    echo function > current_tracer || fail "no tracer of functions"
    forks "$trace" "$((trace * (trace + 1) / 2))"
    entries=$(grep -c -m 10000 ' <-' trace)
    echo nop > current_tracer
    cd /
    forks 10 55
    say "traced: $entries calls or more"
}

# One access, no more: others count them. Linux lets nobody at what it holds for its own RAM, and that is a failure.
physical() {
    case $devmem in
        *:*) devmem "${devmem%:*}" 32 "${devmem#*:}" && did=wrote ;;
        *) word=$(devmem "$devmem" 32) && did="read $word" ;;
    esac || fail "no access to physical memory: devmem=$devmem"
    say "devmem=$devmem: $did"
}

# Devices of the machine's are driven by Linux's own drivers, which Debian has as modules.
drivers() {
    for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci "$@"; do
        [ -e "/sys/module/$module" ] || insmod "/lib/$module.ko" || fail "no module $module"
    done
}

disk() {
    drivers virtio_blk
    [ -e /sys/block/vda ] || fail "no disk"
    mknod /dev/vda b $(tr : ' ' < /sys/block/vda/dev)
    if [ "$disk" = ext4 ]; then
        files
        return
    fi
    [ "$disk" != make ] || mke2fs -F /dev/vda > /dev/null || fail "no file system made"
    mount -t ext2 /dev/vda /mnt || fail "no file system on the disk"
    [ "$disk" != make ] || seq 100000 > /mnt/file
    umount /mnt
    echo 3 > /proc/sys/vm/drop_caches
    mount -t ext2 -o ro /dev/vda /mnt
    same b2bc7d3f8b652d2e "the file on the disk" < /mnt/file
    umount /mnt
    say "disk: $(cat /sys/block/vda/size) sectors, $(grep -c virtio /proc/interrupts) vectors, the file is whole"
}

files() {
    mount -t ext4 /dev/vda /mnt || fail "no ext4 on the disk"
    (cd /mnt && sha256sum -c -s sums) || fail "a file on the disk is broken"
    seq 100000 > /mnt/written
    umount /mnt
    echo 3 > /proc/sys/vm/drop_caches
    mount -t ext4 -o ro /dev/vda /mnt || fail "no ext4 on the disk any more"
    same b2bc7d3f8b652d2e "the file that was written" < /mnt/written
    (cd /mnt && sha256sum -c -s sums) || fail "a file on the disk is broken now"
    say "disk: ext4, $(wc -l < /mnt/sums) files are whole, and so is one more"
    umount /mnt
}

# The one who serves has the bytes, their sum, and a place where the other says that it has them all.
net() {
    drivers failover net_failover virtio_net
    ip link set lo up
    ip link set eth0 up || fail "no network device"
    ip addr add "${net%%:*}/24" dev eth0
    does=${net#*:}
    "${does%=*}" "${does#*=}" || fail "net=$net says neither serve nor fetch"
}

serve() {
    mkdir -p /srv/cgi-bin
    dd if=/dev/urandom of=/srv/part bs=65536 count=16 2> /dev/null
    for i in $(seq "$1"); do cat /srv/part; done > /srv/bytes
    sha256sum < /srv/bytes > /srv/sum
    printf '#!/bin/sh\ntouch /tmp/fetched\necho "Content-Type: text/plain"\necho\necho thanks\n' > /srv/cgi-bin/fetched
    chmod +x /srv/cgi-bin/fetched
    httpd -h /srv
    until [ -e /tmp/fetched ]; do sleep 0.1; done
    say "net: served $1 MiB, $(cat /sys/class/net/eth0/statistics/tx_packets) frames"
}

fetch() {
    until ping -c 1 -W 1 "$1" > /dev/null; do true; done
    ping -c 10 -i 0.01 -q "$1" | grep -q " 0% packet loss" || fail "pings were lost"
    until wget -q -O /tmp/sum "http://$1/sum"; do sleep 0.1; done
    sum=$(wget -q -O - "http://$1/bytes" | sha256sum)
    [ "$sum" = "$(cat /tmp/sum)" ] || fail "what came over the network is broken"
    wget -q -O /dev/null "http://$1/cgi-bin/fetched"
    say "net: fetched, $(cat /sys/class/net/eth0/statistics/rx_packets) frames, sha256 ${sum%% *}"
}

hwrng() {
    drivers virtio-rng
    [ "$(head -c 64 /dev/hwrng | wc -c)" = 64 ] || fail "no random numbers"
    say "hwrng: 64 bytes of $(cat /sys/class/misc/hw_random/rng_current)"
}

hvc() {
    drivers virtio_console
    say "hvc: $(seq 500 | sha256sum | cut -c -16)" > /dev/hvc0 || fail "no console"
}

die() {
    say "dying by $die"
    case $die in
        panic) echo c > /proc/sysrq-trigger ;;
        reboot) reboot -f ;;
    esac
    fail "still alive after die=$die"
}

/bin/busybox mount -t proc proc /proc
mount -t sysfs sys /sys
banner
work
[ "$wire" ] && wire
[ "$rounds" ] && rounds
[ "$trace" ] && trace
[ "$devmem" ] && physical
[ "$disk" ] && disk
[ "$hwrng" ] && hwrng
[ "$hvc" ] && hvc
[ "$net" ] && net
[ "$die" ] && die
finish "all well"
