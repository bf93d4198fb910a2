exec "$(dirname "$0")/build/debug/client"
