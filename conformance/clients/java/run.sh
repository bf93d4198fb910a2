cd "$(dirname "$0")"
exec java -XX:TieredStopAtLevel=1 -cp 'build:build/lib/*' Client
