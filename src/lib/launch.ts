/**
 * A shell that meets a directory of PATH that it may not enter says 126, as of a program that is there and cannot be
 * run. So a name is looked up first, and one that is nowhere is 127, without the shell's own words.
 */
const LOOK_UP = `case $0 in
  */*) ;;
  *)
    unset found; set -f; IFS=:
    for directory in $PATH; do [ -e "\${directory:-.}/$0" ] && found=yes; done
    [ -n "$found" ] || exit 127
    set +f; unset IFS
esac`;

/**
 * Sets the locale on top of an environment that is not ours to read here, keeps the token out of it, and becomes the
 * program: the process id stays, so a kill meets the right one.
 */
const LAUNCH = `unset SHAREDCLOUD_TOKEN; LC_ALL=C; export LC_ALL
${LOOK_UP}
exec "$0" "$@"`;

/** The command line that starts a program of the host in plain English and without our secrets. */
export function launch(program: string, args: readonly string[]): readonly [string, readonly string[]] {
  return ['/bin/sh', ['-c', LAUNCH, program, ...args]];
}
