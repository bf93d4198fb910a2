<?php
// The scenario with php-amqplib.
require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPProtocolChannelException;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

$prefix = getenv('PREFIX') . '.';
$exchange = $prefix . 'x';
$queues = [];
foreach (['q', 'work', 'dead', 'rpc', 'bulk'] as $name) {
    $queues[$name] = $prefix . $name;
}

function connect(): AMQPStreamConnection
{
    $url = parse_url(getenv('AMQP_URL'));
    while (true) {
        try {
            return new AMQPStreamConnection($url['host'], $url['port'], $url['user'] ?? 'guest', $url['pass'] ?? 'guest');
        } catch (Exception $absent) {
            usleep(200000);
        }
    }
}

function persistent(string $body): AMQPMessage
{
    return new AMQPMessage($body, ['delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT]);
}

function get(AMQPChannel $channel, string $queue, bool $noAck = false): AMQPMessage
{
    while (!($message = $channel->basic_get($queue, $noAck))) {
        usleep(1000);
    }
    return $message;
}

function say(string ...$words): void
{
    echo implode(' ', $words), "\n";
}

function prefetch(AMQPChannel $channel, string $queue): void
{
    $received = [];
    $channel->basic_qos(0, 5, false);
    $tag = $channel->basic_consume($queue, '', false, false, false, false, function ($message) use (&$received) {
        $received[] = $message;
    });
    while (count($received) < 5) {
        $channel->wait(null, false, 5);
    }
    $deadline = microtime(true) + 0.3;
    while (microtime(true) < $deadline) {
        $channel->wait(null, true);
        usleep(1000);
    }
    say('prefetch', (string) count($received));
    for ($acked = 0; $acked < 100; $acked++) {
        while (count($received) <= $acked) {
            $channel->wait(null, false, 5);
        }
        $received[$acked]->ack();
    }
    $channel->basic_cancel($tag);
    say('acked', (string) $acked);
}

function deadLetters(AMQPChannel $channel, string $work, string $dead): void
{
    $channel->queue_declare($dead, false, true, false, false);
    $arguments = new AMQPTable(['x-dead-letter-exchange' => '', 'x-dead-letter-routing-key' => $dead]);
    $channel->queue_declare($work, false, true, false, false, false, $arguments);
    $channel->basic_publish(persistent('bad'), '', $work);
    get($channel, $work)->nack(true);
    $again = get($channel, $work);
    if ($again->isRedelivered()) {
        say('redelivered');
    }
    $again->nack(false);
    $deaths = get($channel, $dead, true)->get('application_headers')->getNativeData()['x-death'];
    say('dead', $deaths[0]['reason']);
}

function call(AMQPChannel $client, AMQPChannel $server, string $queue): void
{
    $reply = null;
    $client->queue_declare($queue, false, true, false, false);
    $client->basic_consume('amq.rabbitmq.reply-to', '', false, true, false, false, function ($message) use (&$reply) {
        $reply = $message->body;
    });
    $client->basic_publish(new AMQPMessage('question', ['reply_to' => 'amq.rabbitmq.reply-to']), '', $queue);
    $request = get($server, $queue, true);
    $server->basic_publish(new AMQPMessage(strtoupper($request->body)), '', $request->get('reply_to'));
    while ($reply === null) {
        $client->wait(null, false, 5);
    }
    say('reply', $reply);
}

// Headers of many types (the library sends a float as text), then a body of many frames.
function contents(AMQPChannel $channel, string $queue): void
{
    $headers = [
        'true' => true, 'small' => -1, 'large' => 2 ** 40, 'text' => 'grüße', 'none' => null,
        'array' => [1, 'two', [-3]], 'table' => ['inner' => ['deep' => true]],
    ];
    $channel->basic_publish(new AMQPMessage('', ['application_headers' => new AMQPTable($headers)]), '', $queue);
    if (get($channel, $queue, true)->get('application_headers')->getNativeData() === $headers) {
        say('headers equal');
    }
    $body = str_repeat('0123456789abcdef', 2 ** 16);
    $channel->basic_publish(new AMQPMessage($body), '', $queue);
    $received = get($channel, $queue, true)->body;
    if ($received === $body) {
        say('large', (string) strlen($received), 'equal');
    }
}

// A queue that is not there costs a channel.
function missing(AMQPChannel $channel, string $queue): void
{
    try {
        $channel->queue_declare($queue, true);
    } catch (AMQPProtocolChannelException $closed) {
        say('missing', (string) $closed->amqp_reply_code);
    }
}

function volume(AMQPChannel $channel, string $queue): void
{
    $channel->queue_declare($queue, false, true, false, false);
    for ($n = 0; $n < 10000; $n++) {
        $channel->basic_publish(persistent((string) $n), '', $queue);
    }
    $channel->wait_for_pending_acks(60);
    $received = 0;
    $channel->basic_qos(0, 500, false);
    $channel->basic_consume($queue, '', false, false, false, false, function ($message) use (&$received) {
        if ($message->body !== (string) $received) {
            throw new RuntimeException("message $received was {$message->body}");
        }
        if (++$received % 100 === 0) {
            $message->ack(true);
        }
    });
    while ($received < 10000) {
        $channel->wait(null, false, 10);
    }
    say('messages', (string) $received, 'in order');
}

$connection = connect();
$channel = $connection->channel();
$channel->confirm_select();
$channel->exchange_declare($exchange, 'topic', false, true, false);
$channel->queue_declare($queues['q'], false, true, false, false);
$channel->queue_bind($queues['q'], $exchange, 'a.#');
say('topology');
for ($n = 0; $n < 100; $n++) {
    $channel->basic_publish(persistent((string) $n), $exchange, 'a.b');
}
$channel->wait_for_pending_acks(10);
say('confirmed 100');
$channel->set_return_listener(function ($code, $text) {
    say('returned', (string) $code, $text);
});
$channel->basic_publish(persistent('lost'), $exchange, 'nowhere', true);
$channel->wait_for_pending_acks_returns(10);
prefetch($channel, $queues['q']);
deadLetters($channel, $queues['work'], $queues['dead']);
call($connection->channel(), $connection->channel(), $queues['rpc']);
contents($channel, $queues['rpc']);
missing($connection->channel(), $prefix . 'missing');
volume($channel, $queues['bulk']);
$channel->basic_publish(persistent('survivor'), $exchange, 'a.b');
$channel->wait_for_pending_acks(10);
say('restart');
fgets(STDIN);
$connection = connect();
$channel = $connection->channel();
say('recovered', get($channel, $queues['q'], true)->body);
$channel->exchange_delete($exchange);
foreach ($queues as $queue) {
    $channel->queue_delete($queue);
}
$connection->close();
say('done');
