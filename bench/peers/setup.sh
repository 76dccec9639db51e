#!/bin/sh
# Installs the peers of the benchmarks into the cache folder, where `nesgd bench --peer` looks for them.
# Usage: sh bench/peers/setup.sh
set -eu
cache=${NESGD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nesgd}
python3 -m venv "$cache/bench-peers"
"$cache/bench-peers/bin/pip" install --requirement "$(dirname "$0")/requirements.txt"
