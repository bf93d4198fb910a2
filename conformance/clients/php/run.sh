exec php "$(dirname "$0")/client.php"
