#!/usr/bin/env bash
# Installs the packages of debian-packages.txt when root; else names those that are missing.
set -euo pipefail
cd "$(dirname "$0")"
command -v dpkg-query >/dev/null || { echo "not Debian: install what debian-packages.txt names yourself" >&2; exit 0; }
missing=()
while read -r name; do
    [ -z "$name" ] && continue
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
done < debian-packages.txt
# A git or venv module that came another way (built from source, pyenv) serves as well.
wanted=()
for name in "${missing[@]:-}"; do
    case "$name" in
        "") ;;
        git) command -v git >/dev/null || wanted+=(git) ;;
        python3-venv) "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv) ;;
        *) wanted+=("$name") ;;
    esac
done
[ ${#wanted[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${wanted[@]}"
else
    echo "missing Debian packages: ${wanted[*]}" >&2
    echo "install them: sudo apt-get install ${wanted[*]}" >&2
    exit 1
fi
