#!/usr/bin/env bash
# Runs the tests against the oldest supported set, scripts/oldest.txt, in an environment of its own (.venv-oldest).
#   scripts/test_oldest.sh [pytest arguments]
#   PYTHON=/where/it/is/python3.10 scripts/test_oldest.sh
set -euo pipefail
cd "$(dirname "$0")/.."

# The first candidate that runs and is Python 3.10 (pyenv's shims exist without running).
oldest_python() {
    local candidate
    for candidate in "${PYTHON:-python3.10}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10.*/bin/python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Expected Python 3.10, found none. Install it, or name it: PYTHON=/where/it/is/python3.10 $0" >&2
    return 2
}

python=$(oldest_python)
"$python" -m venv .venv-oldest
.venv-oldest/bin/python -m pip install --quiet --constraint scripts/oldest.txt --editable . pytest hypothesis
.venv-oldest/bin/python -m pip freeze --exclude-editable | grep -iE '^(tensorflow|keras|tf.keras|numpy|opencv.*|pillow|click)=='
.venv-oldest/bin/python -m pytest "$@"
