#!/bin/bash
# Installs Debian's php-amqplib on first use and walks the scenario.
set -eu
cd "$(dirname "$0")"
[ -f /usr/share/php/PhpAmqpLib/autoload.php ] || apt-get install --yes -qq php-cli php-amqplib >&2
exec php client.php
