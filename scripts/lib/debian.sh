# Debian root file systems from debootstrap, made once and kept as a tar. Sourced.

# debian_root <suite> [package…]: prints the path of a tar of that suite's minimal root file system, with packages.
#
# The archive's updates and security fixes are among its sources, as in Debian's own images.
debian_root() {
    local suite="$1" tar="$WHARF_CACHE/roots/$1-base.tar" root mirror
    shift
    [ $# = 0 ] || tar="$WHARF_CACHE/roots/$suite-$(echo "$@" | sha256sum | cut -c1-12).tar"
    if [ ! -f "$tar" ]; then
        need_root "debootstrap"
        need_packages debootstrap debian-archive-keyring >&2
        say "making a Debian $suite root file system (once)" >&2
        mkdir -p "${tar%/*}"
        root="$(mktemp -d "${tar%/*}/.root.XXXXXX")"
        # It becomes the root of images and containers, which others than root must be able to enter.
        chmod 755 "$root"
        quietly "debootstrap-$suite" debootstrap --variant=minbase ${1:+"--include=$(IFS=,; echo "$*")"} "$suite" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >&2
        # The mirror that debootstrap chose.
        mirror="$(sed -n 's/^deb \([^ ]*\) .*/\1/p' "$root/etc/apt/sources.list" | head -n 1)"
        cat >"$root/etc/apt/sources.list" <<-END
		deb $mirror $suite main
		deb $mirror $suite-updates main
		deb ${mirror%/debian}/debian-security $suite-security main
		END
        rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log \
            "$root"/usr/share/{doc,man,locale,info}/* "$root"/debootstrap
        : >"$root/etc/machine-id"
        rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
        tar -C "$root" --numeric-owner --xattrs --one-file-system -cf "$tar.part" .
        mv "$tar.part" "$tar"
        rm -rf "$root"
    fi
    echo "$tar"
}
