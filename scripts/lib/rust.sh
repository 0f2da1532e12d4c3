# The Rust toolchain: use the one that is there, or Debian's, or say where to get one. Sourced.

rust_min=1.90

# rust_is_recent: whether `cargo` and `rustc` on the path are new enough.
rust_is_recent() {
    local version
    version="$(rustc --version 2>/dev/null | cut -d' ' -f2)" && cargo --version >/dev/null 2>&1 || return 1
    [ "$(printf '%s\n' "$rust_min" "$version" | sort -V | head -n 1)" = "$rust_min" ]
}

# candidate <package>: prints the version that apt would install.
candidate() {
    apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | grep -v '(none)'
}

# debian_rust: installs what Debian or Ubuntu has, and fails if that is nothing recent enough.
debian_rust() {
    local web
    web="$(candidate rustc-web)" || true
    if [ -n "$web" ] && dpkg --compare-versions "$web" ge "$rust_min"; then
        say "installing Rust ${web%%+*} from Debian (rustc-web)"
        quietly rust apt install --no-install-recommends rustc-web cargo-web
    elif [ -n "$(candidate rustup)" ]; then
        say "installing rustup from Debian, and with it the stable toolchain"
        quietly rust apt install --no-install-recommends rustup
        quietly rust-toolchain rustup default stable
    else
        return 1
    fi
}

# need_rust [tools]: a recent cargo and rustc; with `tools` also rustfmt and clippy.
#
# Debian 12 carries a recent compiler for its browsers, rustc-web, in its security archive. Newer
# Debian and Ubuntu have rustup as a package, which fetches the toolchain.
need_rust() {
    case ":$PATH:" in *":$HOME/.cargo/bin:"*) ;; *) export PATH="$HOME/.cargo/bin:$PATH" ;; esac
    if ! rust_is_recent; then
        need_root "installing Rust"
        debian_rust || { quietly apt-update apt update && debian_rust; } || true
        hash -r
    fi
    rust_is_recent || die "Rust $rust_min or newer is needed, and found is: $(rustc --version 2>&1 | head -n 1).
       Debian 12 has it in its security archive (package rustc-web; is bookworm-security among your
       apt sources?). Otherwise install it with rustup and run this again."
    if [ "${1-}" = tools ]; then need_rust_tools; fi
}

need_rust_tools() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
    if [ -n "$(packages_missing rustc-web)" ]; then
        command -v rustup >/dev/null || die "cargo fmt and cargo clippy are needed beside $(command -v cargo)"
        quietly rust-tools rustup component add rustfmt clippy
    else
        need_packages rustfmt-web rust-web-clippy
    fi
}
