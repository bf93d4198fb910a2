# Compiles with the installed rabbitmq-c.
cc -O1 -Wall -Wextra -o build/client client.c -lrabbitmq
