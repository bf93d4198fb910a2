exec node "$(dirname "$0")/build/client.js"
