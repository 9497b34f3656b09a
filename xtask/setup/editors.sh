#!/usr/bin/env bash
# usage: editors.sh FOLDER SUITES
# Unpacks editors of newer Debian suites into FOLDER, without installing them: of the first of SUITES (separated by a
# comma) Neovim, Helix and Emacs, of the second Neovim. FOLDER/bin/ has a program for each, which runs it by the loader
# and the libraries of its own suite.
set -euo pipefail
folder=$1
IFS=, read -r stable testing <<<"$2"

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -n 1)
[[ -n $mirror ]] || { echo "apt knows no mirror; run apt-get update" >&2; exit 1; }

unpack() { # SUITE PACKAGES
  # A mirror that stands still is as good here as one that does not.
  mmdebstrap --quiet --aptopt='Acquire::Check-Valid-Until "false"' --variant=extract --include="$2" "$1" "$folder/$1" "$mirror"
  rm -rf "$folder/$1"/{usr/share/{doc,man,locale},var}
}
unpack "$stable" neovim,hx,emacs-nox
unpack "$testing" neovim

mkdir "$folder/bin"
program() { # NAME SUITE PROGRAM [ARGUMENT…]; the settings of its environment come from standard input
  {
    echo '#!/usr/bin/env bash'
    echo "root=\$(cd \"\$(dirname \"\${BASH_SOURCE[0]}\")/../$2\" && pwd)"
    cat
    echo "exec \"\$root\"/usr/lib64/ld-linux-*.so.* --library-path \"\$root/usr/lib/$(uname -m)-linux-gnu\" \"\$root/$3\" ${*:4} \"\$@\""
  } >"$folder/bin/$1"
  chmod +x "$folder/bin/$1"
}
for suite in "$stable" "$testing"; do
  program "nvim-$suite" "$suite" usr/bin/nvim '--cmd "set runtimepath+=$root/usr/lib/nvim"' \
    <<<'export VIMRUNTIME=$root/usr/share/nvim/runtime'
done
program hx "$stable" usr/lib/hx/hx <<<'export HELIX_RUNTIME=$root/usr/lib/hx/runtime'
program emacs "$stable" usr/bin/emacs-nox '--dump-file="$(echo "$root"/usr/libexec/emacs/*/*/emacs-*.pdmp)"' <<'SETTINGS'
EMACSLOADPATH=$(find "$root"/usr/share/emacs/*/lisp -type d -printf '%p:')
export EMACSLOADPATH
EMACSDATA=$(echo "$root"/usr/share/emacs/*/etc)
export EMACSDATA
EMACSPATH=$(echo "$root"/usr/libexec/emacs/*/*)
export EMACSPATH
SETTINGS
