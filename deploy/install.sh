#!/bin/sh
# Installs the `syncline` binary of a release for the user who runs this, and needs no root.
#
#   sh install.sh [--version v1.2.3] [--dir DIRECTORY] [--from URL]
#
# It fetches the archive for this system and the checksums from the release, stops if they don't agree,
# and puts one file into ~/.local/bin. Nothing else is changed: no profile of a shell, no service.
# To remove it: rm ~/.local/bin/syncline (docs/deployment.md tells where data lies).
#
# All of it is in functions, called in the last line: a script that was cut off on its way does nothing.
set -eu

REPOSITORY=https://github.com/syncline/syncline

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "install.sh: $*"
    exit 1
}

usage() {
    say "usage: sh install.sh [--version v1.2.3] [--dir DIRECTORY] [--from URL]"
    say "  --version  the release [default: the latest]"
    say "  --dir      where the binary goes [default: ~/.local/bin]"
    say "  --from     where the release's files are, such as a mirror's https:// or a file:// URL"
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# The name of this system among the release's archives.
target() {
    case $(uname -s) in
        Linux) system=unknown-linux-gnu ;;
        Darwin) system=apple-darwin ;;
        *) fail "no release for $(uname -s): on Windows fetch the .zip from $REPOSITORY/releases" ;;
    esac
    case $(uname -m) in
        x86_64 | amd64) machine=x86_64 ;;
        aarch64 | arm64) machine=aarch64 ;;
        *) fail "no release for $(uname -m): build it, cargo install --git $REPOSITORY syncline-cli" ;;
    esac
    printf '%s-%s\n' "$machine" "$system"
}

# fetch URL FILE
fetch() {
    case $1 in
        https://*) protocols='=https' ;;
        *) protocols='=http,https,file' ;;
    esac
    if has curl; then
        curl --fail --silent --show-error --location --proto "$protocols" --output "$2" "$1" \
            || fail "could not fetch $1"
    elif has wget; then
        wget --quiet --output-document "$2" "$1" || fail "could not fetch $1"
    else
        fail "neither curl nor wget is installed"
    fi
}

# The SHA-256 of FILE, in hexadecimal digits.
sha256() {
    if has sha256sum; then
        sha256sum "$1" | cut -d ' ' -f 1
    elif has shasum; then
        shasum -a 256 "$1" | cut -d ' ' -f 1
    elif has openssl; then
        openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
    else
        fail "none of sha256sum, shasum and openssl is installed, and nothing is installed unchecked"
    fi
}

main() {
    version=
    directory=
    from=
    while [ $# -gt 0 ]; do
        case $1 in
            --version | --dir | --from)
                [ $# -ge 2 ] || fail "$1 needs a value"
                case $1 in
                    --version) version=$2 ;;
                    --dir) directory=$2 ;;
                    --from) from=$2 ;;
                esac
                shift 2
                ;;
            --help | -h)
                usage
                exit 0
                ;;
            *)
                usage
                fail "what is $1?"
                ;;
        esac
    done
    if [ -z "$directory" ]; then
        [ -n "${HOME:-}" ] || fail "HOME is not set: name a directory with --dir"
        directory=$HOME/.local/bin
    fi
    if [ -z "$from" ]; then
        from=$REPOSITORY/releases/latest/download
        [ -z "$version" ] || from=$REPOSITORY/releases/download/$version
    fi

    archive=syncline-$(target).tar.gz
    mkdir -p "$directory"
    # Beside its place, so that the last step is a rename.
    staging=$(mktemp -d "$directory/.syncline-install.XXXXXX")
    trap 'rm -rf "$staging"' EXIT
    trap 'exit 1' HUP INT TERM

    say "fetching $from/$archive"
    fetch "$from/$archive" "$staging/$archive"
    fetch "$from/checksums.txt" "$staging/checksums.txt"
    expected=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$staging/checksums.txt")
    [ -n "$expected" ] || fail "checksums.txt does not name $archive; nothing was installed"
    found=$(sha256 "$staging/$archive")
    if [ "$found" != "$expected" ]; then
        say "  expected $expected"
        say "  found    $found"
        fail "the checksum of $archive is wrong; nothing was installed"
    fi

    tar -xzf "$staging/$archive" -C "$staging" syncline
    chmod 755 "$staging/syncline"
    shown=$("$staging/syncline" --version) \
        || fail "the binary does not run here: it needs glibc 2.35 or newer on Linux; nothing was installed"
    mv -f "$staging/syncline" "$directory/syncline"
    say "installed $shown as $directory/syncline"
    case :${PATH:-}: in
        *":$directory:"*) ;;
        *) say "$directory is not on your PATH: add it there, or call the binary by its path" ;;
    esac
    say "to remove it: rm $directory/syncline"
}

main "$@"
