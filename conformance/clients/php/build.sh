# Sees whether php-amqplib is installed.
php -r "require 'PhpAmqpLib/autoload.php';"
