#!/usr/bin/env bash
# Installs the bundle of `make bundle` beside this machine's torch, without a network; runs the tests
# of a GPU; times the configs beside the plain loops on the same device. Within 8 minutes.
#
#     scripts/gpu_check.sh [DEVICE]     # cuda (the default) or cpu
set -euo pipefail
cd "$(dirname "$0")/.."
device=${1:-cuda}
python=${PYTHON:-python3}
folder=${BUNDLE:-bundle}
environment=$(mktemp -d)/environment
trap 'rm -rf "$(dirname "$environment")"' EXIT

"$python" -m venv --system-site-packages "$environment"
# A machine's Python may be a virtual environment itself: its packages come after this one's.
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
  > "$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/machine.pth"
pip=("$environment/bin/python" -m pip install --quiet --no-index --no-deps)
"${pip[@]}" "$folder"/*.whl
for wheel in "$folder"/if-absent/*.whl; do
  name=$(basename "$wheel"); name=${name%%-*}
  "$environment/bin/python" -c "import importlib.metadata as m; m.version('$name')" 2> /dev/null \
    || "${pip[@]}" "$wheel"
done
processes=$(nproc --all)
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} TQDM_DISABLE=1
"$environment/bin/python" -c 'import sys, torch, transformers
print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, transformers {transformers.__version__}")'

# The timing has 3 minutes of a quiet machine, the tests have 5, several at a time where pytest-xdist
# is there.
status=0
timeout 180 "$environment/bin/python" -m benchmarks.device_speed --device "$device" || status=$?
parallel=()
if "$environment/bin/python" -c 'import xdist' 2> /dev/null; then
  parallel=(-n "$((processes < 12 ? processes : 12))" --dist worksteal)
fi
timeout 300 "$environment/bin/python" -m pytest -q -p no:cacheprovider "${parallel[@]}" \
  tests/training/test_gpu.py || status=$?
exit "$status"
