#!/bin/bash
# Fetches amqp-client and compiles on first use, and walks the scenario.
set -eu
cd "$(dirname "$0")"
if [ ! -f build/Client.class ]; then
  mvn -q dependency:copy-dependencies -DoutputDirectory=build/lib >&2
  javac -cp 'build/lib/*' -d build Client.java >&2
fi
exec java -cp 'build:build/lib/*' Client
