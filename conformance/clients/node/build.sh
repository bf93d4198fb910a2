# Fetches amqplib.
set -eu
cp package.json package-lock.json client.js build
cd build
npm ci --silent --no-audit --no-fund
