#!/usr/bin/env bash
# Puts everything that developing needs into .venv: the locked, hashed packages and this checkout itself.
# The Makefile calls it when the lock has changed; $1 is the file that says so afterwards.
set -euo pipefail
installed=$1
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() { # a name on PATH may be a shim of pyenv or asdf that does not run: try each
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
    if "$candidate" -c "$new_enough" >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  echo "Python 3.11 or newer is needed and was not found on PATH (PYTHON=/path/to/python3 names one)." >&2
  return 1
}

make_venv() {
  local python
  python=$(find_python)
  echo "Making .venv with $("$python" --version)"
  if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
    "$python" -m venv --clear .venv
  elif "$python" -m pip --version >/dev/null 2>&1; then # Debian without python3-venv
    "$python" -m venv --clear --without-pip .venv
    "$python" -m pip --python .venv/bin/python install --quiet pip
  else
    echo "This Python has neither ensurepip nor pip; install them (Debian: apt-get install python3-venv)." >&2
    return 1
  fi
}

started=$SECONDS
.venv/bin/python -c "$new_enough" >/dev/null 2>&1 && .venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv
echo "Installing $(grep -c '^[a-z].*==' requirements/all.txt) locked packages into .venv ..."
if [ -n "${BUILD_MEANWHILE+yes}" ]; then # devcluster needs none of the packages
  # shellcheck disable=SC2086 # no option at all, or some
  .venv/bin/python -m devcluster build $BUILD_MEANWHILE &
  builder=$!
  trap '[ -z "$builder" ] || kill "$builder"' EXIT
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
# Without --no-compile pip would compile ten times the modules that are ever imported.
.venv/bin/python -m pip install --quiet --no-compile --require-hashes --requirement requirements/all.txt
.venv/bin/python -m pip install --quiet --no-compile --no-deps --no-build-isolation --editable .
rm -f "$(dirname "$installed")"/installed-*
touch "$installed"
echo "Installed in $((SECONDS - started)) s."
if [ -n "${builder:-}" ]; then
  wait "$builder" || true # whoever needs the programs says what is wrong
  builder=
fi
