# Fetches amqp091-go and compiles.
go build -mod=mod -o build/client .
