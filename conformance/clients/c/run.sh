exec "$(dirname "$0")/build/client"
