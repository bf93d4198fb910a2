# Fetches amqp-client and compiles.
set -eu
rm -rf build/lib
mvn -q dependency:copy-dependencies -DoutputDirectory=build/lib
javac -cp 'build/lib/*' -d build Client.java
