# Debian packages: which the project needs for what, and how they come onto the machine. Sourced.

# To compile: libcontainer's seccomp and device filters are C libraries.
packages_build=(gcc libc6-dev make cmake pkg-config libseccomp-dev libelf-dev zlib1g-dev ca-certificates)
# To run Wharf and look at what it made.
packages_run=(iproute2 nftables)
# To make images without a registry.
packages_bundles=(debootstrap debian-archive-keyring buildah umoci skopeo ca-certificates)
# To test as a user would.
packages_test=(curl jq git python3-venv procps busybox-static strace)
# The second AWS CLI, where the distribution has it: only it has `aws logs tail`.
packages_test_wanted=(awscli)
# To make and run the container that --in-container tests in.
packages_container=(debootstrap debian-archive-keyring runc jq iproute2)
# To make the virtual machine of scripts/test-v2, and what is installed in it.
packages_v2=(qemu-system-x86 busybox-static cpio kmod e2fsprogs debootstrap debian-archive-keyring)
packages_in_v2=(iproute2 nftables procps kmod python3-minimal libpython3-stdlib libseccomp2 libelf1 zlib1g)

# packages_missing <package…>: prints those that are not installed.
packages_missing() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

# apt <arguments…>: apt-get that asks nothing and waits for other package managers to finish.
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@"
}

# want_packages <package…>: installs those that the distribution has.
want_packages() {
    local package
    for package in "$@"; do
        [ -z "$(apt-cache policy "$package" 2>/dev/null | grep 'Candidate: [0-9]')" ] || need_packages "$package"
    done
}

# need_packages <package…>: installs what is missing; asks the mirrors for news only if it must.
need_packages() {
    command -v apt-get >/dev/null || die "this needs Debian or Ubuntu packages: $*"
    local missing
    mapfile -t missing < <(packages_missing "$@" | sort -u)
    [ ${#missing[@]} -gt 0 ] || return 0
    need_root "installing ${missing[*]}"
    say "installing Debian packages: ${missing[*]}"
    if ! apt install --no-install-recommends "${missing[@]}" >"$WHARF_CACHE/apt.log" 2>&1; then
        quietly apt-update apt update
        quietly apt apt install --no-install-recommends "${missing[@]}"
    fi
}
