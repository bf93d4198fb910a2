#!/bin/bash
# Installs Debian's bunny on first use and walks the scenario.
set -eu
cd "$(dirname "$0")"
ruby -e 'require "bunny"' 2>/dev/null || apt-get install --yes -qq ruby-bunny >&2
exec ruby client.rb
