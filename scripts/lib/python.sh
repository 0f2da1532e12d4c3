# Python environments for tests and benchmarks, from PyPI, kept outside the checkout. Sourced.

# python_venv <requirements file>: prints the folder of an environment that has just those.
python_venv() {
    local python=/usr/bin/python3 venv
    [ -x "$python" ] || python="$(command -v python3)" || die "python3 is needed"
    venv="$WHARF_CACHE/venv/$({ cat "$1"; "$python" --version; } | sha256sum | cut -c1-12)"
    if [ ! -f "$venv/.complete" ]; then
        need_packages python3-venv >&2
        say "installing ${1#"$here"/} (once)" >&2
        rm -rf "$venv"
        quietly venv "$python" -m venv "$venv" >&2
        # Debian's own pip trusts what the machine trusts; the one in an environment has to be told.
        PIP_CERT="${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt}" quietly pip \
            "$venv/bin/pip" install --disable-pip-version-check -r "$1" >&2
        touch "$venv/.complete"
    fi
    echo "$venv"
}
