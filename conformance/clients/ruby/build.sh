# Sees whether bunny is installed.
ruby -e 'require "bunny"'
