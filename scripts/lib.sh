# shellcheck shell=bash
# Shared by scripts/hopscope, scripts/build and scripts/test: what the distribution must provide, and how
# each build flavour is configured. Sourced, never run. Everything said goes to stderr, because stdout
# belongs to the command that is started in the end.

hs_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P) || exit 2
hs_build_root=${HS_BUILD:-$hs_root/build}
# shellcheck disable=SC2034 # read by the scripts that source this file
hs_all_flavours="release debug sanitize clang clang-o0 gcc-o3 clang-o3 fuzz"

hs_say()
{
    printf 'hopscope: %s\n' "$*" >&2
}

hs_die()
{
    hs_say "$*"
    exit 2
}

# --- packages -----------------------------------------------------------------------------------------
# One row per need: Debian package, how to see that it is there (cmd:NAME or file:GLOB), what it is for.

hs_packages_build="
gcc                cmd:gcc                                          the C compiler
libc6-dev          file:/usr/include/stdio.h                        the C library's headers
meson              cmd:meson                                        the build system
ninja-build        cmd:ninja                                        runs the build
pkg-config         cmd:pkg-config                                   finds the libraries
python3            cmd:python3                                      build generators and test checkers
libglib2.0-dev     file:/usr/include/glib-2.0/glib.h                GLib, used throughout
libjson-glib-dev   file:/usr/include/json-glib-1.0/json-glib/json-glib.h  JSON, read
liblua5.4-dev      file:/usr/include/lua5.4/lua.h                   the scenario language
gnuplot-nox        cmd:gnuplot                                      draws the plots
"
hs_packages_clang="
clang              cmd:clang                                        the second compiler
libclang-rt-dev    file:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a  sanitizers and libFuzzer
llvm               cmd:llvm-symbolizer                              readable sanitizer reports
"
# shellcheck disable=SC2034 # read by scripts/test
hs_packages_test="
git                cmd:git                                          tells which files belong to the project
mandoc             cmd:mandoc                                       the manual page's check
binutils           cmd:nm                                           looks for mutable globals
tshark             cmd:tshark                                       judges every capture
lz4                cmd:lz4                                          unpacks compressed captures, as a judge
lua5.4             cmd:lua5.4                                       syntax check of Lua files
clang-format-14    cmd:clang-format-14                              the format check
chromium           cmd:chromium                                     opens the reports, as a judge
shellcheck         cmd:shellcheck                                   the shell scripts' check
hunspell           cmd:hunspell                                     the spelling check
hunspell-en-gb     file:/usr/share/hunspell/en_GB.dic               its British dictionary
locales            file:/usr/share/i18n/locales/de_DE               a locale with a decimal comma
"

# hs_missing ROWS: the packages of ROWS that are not there, as lines "package<TAB>purpose".
hs_missing()
{
    local package check purpose glob
    while read -r package check purpose; do
        case $check in
        cmd:*) command -v "${check#cmd:}" >/dev/null 2>&1 && continue ;;
        file:*)
            glob=${check#file:}
            # Unquoted on purpose: the table's file names may be patterns; none of them has spaces.
            # shellcheck disable=SC2086
            compgen -G $glob >/dev/null && continue ;;
        *) continue ;;
        esac
        printf '%s\t%s\n' "$package" "$purpose"
    done <<<"$1"
}

# hs_need ROWS: installs what is missing of ROWS, or says which command would.
hs_need()
{
    local missing packages log
    local -a as_root=()
    missing=$(hs_missing "$1")
    [ -n "$missing" ] || return 0
    packages=$(cut -f1 <<<"$missing" | tr '\n' ' ')
    packages=${packages% }
    hs_say "missing from this system:"
    while IFS=$'\t' read -r package purpose; do
        printf '    %-18s %s\n' "$package" "$purpose" >&2
    done <<<"$missing"

    if ! command -v apt-get >/dev/null 2>&1; then
        hs_die "this is not a Debian system; please install the equivalents of: $packages"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            as_root=(sudo)
        else
            hs_die "installing needs root. As root, run:  apt-get update && apt-get install $packages"
        fi
    fi

    mkdir -p "$hs_build_root"
    log=$hs_build_root/install.log
    hs_say "installing them with apt-get (log: $log)"
    # The lock makes a second run wait; it then finds everything in place.
    # shellcheck disable=SC2086 # the package list is words
    if ! (
        flock 8
        [ -n "$(hs_missing "$1")" ] || exit 0
        hs_apt() { ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"; }
        hs_apt install -y --no-install-recommends $packages ||
            { hs_apt update && hs_apt install -y --no-install-recommends $packages; }
    ) >"$log" 2>&1 8>"$hs_build_root/install.lock" </dev/null; then
        tail -n 20 "$log" >&2
        hs_die "the installation failed. As root, try:  apt-get update && apt-get install $packages"
    fi
    missing=$(hs_missing "$1" | cut -f1 | tr '\n' ' ')
    [ -z "$missing" ] || hs_die "installed, but still not found: $missing"
}

# --- builds -------------------------------------------------------------------------------------------

# hs_flavour NAME: sets hs_cc and hs_options for one way to build. HS_LTO=0 leaves out link-time optimisation
# of the release build, which saves half a minute of linking. In CI a warning is an error.
hs_flavour()
{
    hs_cc=gcc
    hs_options=()
    case $1 in
    release) hs_options=(-Doptimization=2 -Dlto="$([ "${HS_LTO:-1}" = 1 ] && echo true || echo false)") ;;
    debug) hs_options=(-Doptimization=0) ;;
    sanitize) hs_options=(-Doptimization=1 "-Db_sanitize=address,undefined") ;;
    gcc-o3) hs_options=(-Doptimization=3) ;;
    clang) hs_cc=clang hs_options=(-Doptimization=2) ;;
    clang-o0) hs_cc=clang hs_options=(-Doptimization=0) ;;
    clang-o3) hs_cc=clang hs_options=(-Doptimization=3) ;;
    fuzz) hs_cc=clang hs_options=(-Doptimization=1 -Dfuzz=true -Db_lundef=false "-Db_sanitize=address,undefined") ;;
    *) hs_die "'$1' is no build flavour; expected one of: $hs_all_flavours" ;;
    esac
    hs_options+=(-Dwerror="$([ -n "${CI:-}" ] && echo true || echo false)")
}

# hs_build FLAVOUR [TARGET…]: configures and builds build/FLAVOUR as far as needed, all of it or these targets; sets hs_dir.
# Quiet when all goes well in a pipe, a progress line on a terminal, the whole output on failure.
hs_build()
{
    local flavour=$1 stamp want have log
    local -a reconfigure=()
    shift
    hs_flavour "$flavour"
    hs_dir=$hs_build_root/$flavour
    stamp=$hs_dir/hopscope.stamp
    log=$hs_build_root/$flavour.log
    want="$hs_root|$hs_cc|${hs_options[*]}"

    mkdir -p "$hs_build_root"
    {
        flock 9
        have=
        [ -r "$stamp" ] && have=$(<"$stamp")
        if [ "$have" != "$want" ] || [ ! -e "$hs_dir/build.ninja" ]; then
            # Everything a build needs is looked for here only, so that a built tree starts at once.
            hs_need "$hs_packages_build"
            [ "$hs_cc" != clang ] || hs_need "$hs_packages_clang"
            hs_say "configuring build/$flavour"
            # Other options only: meson reconfigures. Another source folder (a copied checkout): afresh.
            if [ -e "$hs_dir/build.ninja" ] && [ "${have%%|*}" = "$hs_root" ]; then
                reconfigure=(--reconfigure)
            else
                rm -rf "$hs_dir"
            fi
            if ! CC=$hs_cc meson setup ${reconfigure[@]+"${reconfigure[@]}"} "${hs_options[@]}" "$hs_dir" "$hs_root" \
                >"$log" 2>&1 9>&-; then
                rm -f "$stamp"
                cat "$log" >&2
                hs_die "could not configure build/$flavour (log: $log)"
            fi
            printf '%s' "$want" >"$stamp"
        fi
        if [ -t 2 ]; then
            hs_ninja_tty "$hs_dir" "$@"
        elif ! ninja -C "$hs_dir" --quiet "$@" >"$log" 2>&1 9>&-; then
            cat "$log" >&2
            hs_die "could not build build/$flavour (log: $log)"
        fi
    } 9>"$hs_build_root/$flavour.lock"
}

hs_ninja_tty()
{
    local dir=$1
    shift
    # A dry run first: an up-to-date tree prints nothing at all.
    case $(ninja -C "$dir" -n "$@" 2>/dev/null 9>&-) in
    *'no work to do'*) return 0 ;;
    esac
    hs_say "building build/${dir##*/}"
    ninja -C "$dir" "$@" >&2 9>&- || hs_die "could not build build/${dir##*/}"
}
