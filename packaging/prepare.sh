# What `talk`, `test`, `build` and `starter` share: find what is missing on this computer, say so, and install it.
# Read by them with `.`; POSIX sh. Knows nothing about what is done with the environment afterwards.
# shellcheck shell=sh

UV_VERSION=0.13.8
DISK_NEEDED_GB=12

say() { printf '%s\n' "$*" >&2; }

stop() {
    say "$@"
    exit 1
}

# A container may come without HOME; tools that cache need one.
if [ -z "${HOME:-}" ]; then
    HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
    export HOME
fi
UV_HOME=${XDG_DATA_HOME:-$HOME/.local/share}/aizuchi/uv

# Behind a company's proxy only these are of use.
CERTIFICATES=/etc/ssl/certs/ca-certificates.crt

has() { command -v "$1" >/dev/null 2>&1; }

# --- System packages ------------------------------------------------------------------------------

# What sound, the window and the compiled steps on a graphics card need, as Debian and Ubuntu name it.
talk_packages() {
    echo libportaudio2 libasound2-plugins pulseaudio-utils
    echo libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 \
        libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 \
        libxcb-xinerama0 libxcb-xkb1
    has fc-list && [ -n "$(fc-list :lang=ja family)" ] || echo fonts-noto-cjk
    # Triton compiles a small C file for each kernel.
    [ ! -e /proc/driver/nvidia/version ] || echo gcc libc6-dev python3-dev
}

# The tests bring sound servers, a screen and a speaker of their own. PipeWire's plugin for ALSA is not among
# these packages: Debian would take PulseAudio away for it.
test_packages() {
    talk_packages
    echo espeak-ng pulseaudio pipewire wireplumber xvfb xauth xdotool x11-utils shellcheck fontconfig \
        fonts-noto-cjk desktop-file-utils appstream shared-mime-info
}

# Since Debian 13 and Ubuntu 24.04 some libraries carry t64 in their name.
missing_packages() {
    installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' | tr '\n' ' ')"
    for package in "$@"; do
        case $installed in
            *" installed:$package "* | *" installed:${package}t64 "*) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

known() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# The name under which apt knows a package, nothing if it does not.
apt_name() {
    if known "${1}t64"; then
        echo "${1}t64"
    elif known "$1"; then
        echo "$1"
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

may_install() { [ "$(id -u)" = 0 ] || { has sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }; }

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >&2; }

# The names under which apt knows the packages; fails if it does not know them all.
apt_names() {
    unknown=0
    for package in "$@"; do
        name=$(apt_name "$package")
        if [ -n "$name" ]; then
            printf '%s ' "$name"
        else
            unknown=1
        fi
    done
    return $unknown
}

# Install those of the packages that are missing. Going on without some of them is better than not
# starting at all: the doctor tells what does not work without them.
install_packages() {
    if ! has dpkg-query || ! has apt-get; then
        say "This is not Debian or Ubuntu, so system libraries are left to you: PortAudio, the ALSA plug-in" \
            "for PulseAudio or PipeWire, and those that Qt 6 needs for X11 or Wayland (xcb-cursor, xkbcommon, EGL)."
        return
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if ! may_install; then
        say "These system packages are missing and only root may install them: $missing"
        return
    fi
    say "Installing system packages: $missing"
    # shellcheck disable=SC2086  # a list of words
    names=$(apt_names $missing) || { apt_get update && names=$(apt_names $missing); } ||
        say "This system does not offer all of them."
    [ -n "$names" ] || return 0
    # shellcheck disable=SC2086
    apt_get install --no-install-recommends $names ||
        { apt_get update && apt_get install --no-install-recommends $names; } ||
        say "Some system packages could not be installed; see above. Going on without them."
}

# --- uv and the Python environment ----------------------------------------------------------------

# An uv that runs: on PATH, where its own installer puts it, or where this script put it before.
find_uv() {
    for candidate in uv "$HOME/.local/bin/uv" "$UV_HOME/bin/uv"; do
        if "$candidate" --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

pip_install() {
    "$UV_HOME/bin/python" -m pip install --quiet --retries 1 --disable-pip-version-check "$@" "uv==$UV_VERSION"
}

install_uv() {
    say "Installing uv $UV_VERSION from PyPI into $UV_HOME"
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3 python3-venv
    python3 -m venv "$UV_HOME" || stop "python3 with its module venv is needed to install uv."
    pip_install || pip_install --cert "$CERTIFICATES" ||
        stop "uv could not be installed; is there a network? See https://docs.astral.sh/uv for other ways."
}

enough_disk() {
    free_kb=$(df -Pk . | awk 'NR == 2 { print $4 }')
    [ "$free_kb" -ge $((DISK_NEEDED_GB * 1000 * 1000)) ] ||
        stop "The Python environment needs $DISK_NEEDED_GB GB, and only $((free_kb / 1000 / 1000)) GB are free" \
            "in $(pwd). Make room, or clone to another disk."
}

# Make .venv what uv.lock says; the arguments go to `uv sync`.
sync_environment() {
    uv=$(find_uv) || { install_uv && uv=$(find_uv); } || stop "uv does not run."
    [ ! -e "$CERTIFICATES" ] || export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
    quiet=--quiet
    if [ ! -e .venv/pyvenv.cfg ]; then
        enough_disk
        quiet=
        say "Setting up the Python environment in $(pwd)/.venv (3 GB to fetch, 7 GB on disk)"
    fi
    # shellcheck disable=SC2086  # empty or one word
    "$uv" sync --locked $quiet "$@" || stop "The Python environment could not be set up; see above."
}
