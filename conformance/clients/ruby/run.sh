exec ruby "$(dirname "$0")/client.rb"
