#!/bin/bash
# Fetches amqplib on first use and walks the scenario.
set -eu
cd "$(dirname "$0")"
[ -d node_modules ] || npm install --silent --no-audit --no-fund >&2
exec node client.js
