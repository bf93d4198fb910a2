#!/bin/bash
# Builds the client on first use and walks the scenario.
set -eu
cd "$(dirname "$0")"
[ -x build/client ] || go build -mod=mod -o build/client . >&2
exec build/client
