#!/bin/bash
# Builds the client on first use and walks the scenario.
set -eu
cd "$(dirname "$0")"
[ -x target/debug/client ] || cargo build --quiet >&2
exec target/debug/client
