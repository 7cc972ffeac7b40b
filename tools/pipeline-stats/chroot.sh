#!/bin/bash
# chroot.sh DIR [MIRROR]: Debian sid in DIR with Mesa's Vulkan drivers and the no-op kernels (mesa-drm-shim) on which they compile for
# cards that are not there. Debian leaves Intel's shim out, so that piece is built from Debian's source of Mesa: sid's, or else that of
# Debian 13, as mirrors may lack the former for a day. As root, on Debian or Ubuntu, with network; 5 minutes, 2 GB. Nothing outside
# DIR changes, and the mounts end with the script. A DIR that was left unfinished is gone on with.
set -euo pipefail
[[ $# == 1 || $# == 2 ]] || { echo "usage: $0 DIR [MIRROR]" >&2; exit 2; }
if [[ -z ${HAS_OWN_MOUNTS-} ]]; then
    exec env HAS_OWN_MOUNTS=1 unshare --mount --propagation private "$0" "$@"
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)
lib=$dir/usr/lib/$(uname -m)-linux-gnu
inside() { DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$dir" "$@"; }
update() { inside apt-get -q -o Acquire::Check-Valid-Until=false update; }

if [[ ! -e $dir/.base ]]; then
    debootstrap=(debootstrap)
    if ! command -v debootstrap > /dev/null; then
        # A copy in DIR instead of an installed one.
        mkdir -p "$dir/.debootstrap"
        (cd "$dir/.debootstrap" && apt-get download -o APT::Sandbox::User=root debootstrap && dpkg-deb -x debootstrap_*.deb .)
        debootstrap=(env "DEBOOTSTRAP_DIR=$dir/.debootstrap/usr/share/debootstrap" "$dir/.debootstrap/usr/sbin/debootstrap")
    fi
    "${debootstrap[@]}" --variant=minbase sid "$dir" ${2+"$2"}
    touch "$dir/.base"
fi
mount --bind /proc "$dir/proc"
mount --bind /dev "$dir/dev"
if [[ ! -e $dir/.mesa ]]; then
    update
    inside apt-get install -y --no-install-recommends mesa-vulkan-drivers mesa-drm-shim libvulkan1
    touch "$dir/.mesa"
fi
if [[ ! -e $lib/libintel_noop_drm_shim.so ]]; then
    inside apt-get install -y --no-install-recommends dpkg-dev meson ninja-build gcc g++ python3-mako python3-yaml python3-packaging \
        pkgconf libdrm-dev bison flex zlib1g-dev libexpat1-dev glslang-tools
    for suite in sid trixie; do
        sed "s/^deb /deb-src /; s/ sid / $suite /" "$dir/etc/apt/sources.list" > "$dir/etc/apt/sources.list.d/source.list"
        update
        rm -rf "$dir"/root/mesa*
        inside bash -c "cd /root && apt-get source -q --download-only mesa/$suite" && break
    done
    inside bash -c "cd /root && dpkg-source --no-check -x mesa_*.dsc mesa"
    # glibc 2.43 has once_flag and call_once in stdlib.h, which Mesa 25 declares anew.
    inside perl -0pi -e 's/typedef pthread_once_t\s+once_flag;/#include <stdlib.h>/; s/void call_once\(once_flag \*, void \(\*\)\(void\)\);//;
        s/^#\s*define ONCE_FLAG_INIT .*$//mg' /root/mesa/src/c11/threads.h
    inside perl -0pi -e 's/\nvoid\ncall_once\(.*?\n\}\n/\n/s' /root/mesa/src/c11/impl/threads_posix.c
    inside bash -c "cd /root/mesa && meson setup build -Dgallium-drivers= -Dvulkan-drivers= -Dtools=intel,drm-shim -Dplatforms= \
        -Dglx=disabled -Degl=disabled -Dgbm=disabled -Dopengl=false -Dgles1=disabled -Dgles2=disabled -Dllvm=disabled \
        -Dvideo-codecs= -Dvalgrind=disabled -Dlibunwind=disabled -Dzstd=disabled -Dbuildtype=release \
        && ninja -C build src/intel/tools/libintel_noop_drm_shim.so"
    cp "$dir/root/mesa/build/src/intel/tools/libintel_noop_drm_shim.so" "$lib/"
    rm -rf "$dir"/root/mesa*
fi
inside dpkg-query -W mesa-vulkan-drivers mesa-drm-shim
