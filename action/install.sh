#!/usr/bin/env bash
# Installs the locked, hashed packages and this action's checkout into a virtual environment.
set -euo pipefail
environment=$RUNNER_TEMP/coldsend-plan/venv
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
"$PYTHON" -I -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
"$PYTHON" -I -m venv "$environment"
"$environment/bin/python" -I -m pip install --quiet --no-compile --require-hashes --only-binary :all: \
  --requirement "$GITHUB_ACTION_PATH/requirements/operator.txt"
packages=$("$environment/bin/python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$GITHUB_ACTION_PATH/operator" >"$packages/coldsend-operator.pth"
