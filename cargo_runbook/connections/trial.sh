# Runs a script of an installation where nothing that it does counts, and prints a tar of what it did.
# $1 installation, $2 the script below it, $3 seconds, then the script's arguments.
# Runs as the first process of namespaces of its own (mount, process, network, IPC, host name): all mounts end with it.
set -eu
root=$1 script=$2 seconds=$3
shift 3
work=/run/cargo-runbook
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=64m none /run
mkdir -p -m 755 $work/copy $work/stubs $work/dev $work/result/files

# The copy: the files of the installation itself and its configuration. Images and data are not part of it.
find "$root" -maxdepth 1 -type f -exec cp -p --target-directory=$work/copy {} +
[ ! -d "$root/config" ] || cp -a --one-file-system "$root/config" $work/copy/

# What would reach beyond files only says that it was called, by whichever path.
cat >$work/stubs/docker <<'STUB'
#!/bin/sh
echo "${0##*/}" >>/run/cargo-runbook/calls
STUB
chmod 755 $work/stubs/docker
for name in docker-compose podman systemctl service kubectl ansible ansible-playbook nginx reboot shutdown; do
  cp -p $work/stubs/docker "$work/stubs/$name"
done
: >$work/calls
chmod 666 $work/calls
for stub in $work/stubs/*; do
  for folder in /bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin; do
    [ ! -e "$folder/${stub##*/}" ] || mount --bind "$stub" "$folder/${stub##*/}"
  done
done

# No device but those of no consequence, no socket of a service (/run is empty), no setting of the kernel.
mount -t tmpfs -o mode=755,size=64k none $work/dev
for name in null zero full random urandom; do
  : >"$work/dev/$name"
  mount --bind "/dev/$name" "$work/dev/$name"
done
ln -s /proc/self/fd $work/dev/fd
for pair in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${pair%:*}" "$work/dev/${pair#*:}"; done
mount --rbind $work/dev /dev
mount -t proc -o ro proc /proc
# Everything else can only be read. What can't be made so is taken out of sight.
while read -r _ _ _ _ point _; do
  point=$(printf '%b' "$point")
  case $point in /run | /run/* | /dev | /dev/* | /proc | /proc/*) continue ;; esac
  mount -o remount,bind,ro "$point" 2>/dev/null || umount -l "$point" 2>/dev/null || [ ! -e "$point" ] || {
    echo "$point can't be made read-only" >&2
    exit 71
  }
done </proc/self/mountinfo
for folder in /tmp /var/tmp; do mount -t tmpfs -o mode=1777,size=16m none $folder; done
[ -d "$root" ] || mkdir -p "$root"
mount --bind $work/copy "$root"
cd "$root"

state() {
  find . -mindepth 1 -printf '%y %m %U:%G %l\t%p\n' | sort >"$work/result/$1"
  find . -type f -exec sha256sum {} + | sort >"$work/$1.digests"
}
state before
set +e
timeout -k 1 "$seconds" setpriv --no-new-privs --inh-caps=-all \
  --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid \
  env -i PATH="$work/stubs:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root LANG=C.UTF-8 \
  "./$script" "$@" </dev/null >$work/said 2>&1
echo $? >$work/result/exit
# What it left running ends with it; this process itself is not meant.
kill -9 -1 2>/dev/null
set -e
state after
comm -13 $work/before.digests $work/after.digests >$work/changed.digests
cut -c67- $work/changed.digests >$work/changed
# Files with a content that stood there before, under whichever name: a script's own backups.
cut -c-64 $work/before.digests | sort -u >$work/known
grep -F -f $work/known $work/changed.digests | cut -c67- >$work/result/copies || true
tar -C "$root" -cf - -T $work/changed | tar -C $work/result/files -xpf -
sort -u $work/calls >$work/result/calls
grep -qs 'Read-only file system' $work/said && echo yes >$work/result/elsewhere
tail -c 600 $work/said >$work/result/said
tar -C $work/result -cf - .
