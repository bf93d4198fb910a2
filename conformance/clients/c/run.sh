#!/bin/bash
# Installs Debian's rabbitmq-c and compiles on first use, and walks the scenario.
set -eu
cd "$(dirname "$0")"
[ -f /usr/include/amqp.h ] || apt-get install --yes -qq librabbitmq-dev >&2
mkdir -p build
[ build/client -nt client.c ] || cc -O1 -Wall -Wextra -o build/client client.c -lrabbitmq >&2
exec build/client
