# The scenario with bunny.
require "bunny"

$stdout.sync = true
PREFIX = ENV.fetch("PREFIX")
EXCHANGE, QUEUE, WORK, DEAD, RPC, BULK = %w[x q work dead rpc bulk].map { |name| "#{PREFIX}.#{name}" }

# Connects; the block is called when the connection was lost and is recovered with its channels.
def connect(&recovered)
  quiet = Logger.new(File::NULL)
  Bunny.new(ENV.fetch("AMQP_URL"), network_recovery_interval: 0.3, recovery_completed: recovered, logger: quiet).start
end

def get(channel, queue, **options)
  loop do
    delivery, properties, body = channel.basic_get(queue, options)
    return delivery, properties, body if delivery
  end
end

def prefetch(channel)
  received = ::Queue.new
  channel.prefetch(5)
  consumer = channel.queue(QUEUE, durable: true).subscribe(manual_ack: true) { |delivery, _, _| received << delivery }
  wait_for(received, 5)
  sleep 0.3
  puts "prefetch #{received.size}"
  100.times { channel.ack(received.pop.delivery_tag) }
  consumer.cancel
  puts "acked 100"
end

def dead_letters(channel)
  channel.queue(DEAD, durable: true)
  arguments = {"x-dead-letter-exchange" => "", "x-dead-letter-routing-key" => DEAD}
  channel.queue(WORK, durable: true, arguments: arguments)
  channel.default_exchange.publish("bad", routing_key: WORK)
  channel.wait_for_confirms
  delivery, = get(channel, WORK, manual_ack: true)
  channel.nack(delivery.delivery_tag, false, true)
  delivery, = get(channel, WORK, manual_ack: true)
  puts "redelivered" if delivery.redelivered
  channel.nack(delivery.delivery_tag)
  _, properties, = get(channel, DEAD)
  puts "dead #{properties[:headers]["x-death"][0]["reason"]}"
end

def rpc(connection, channel)
  replies = ::Queue.new
  channel.queue(RPC, durable: true)
  client = connection.create_channel
  client.basic_consume("amq.rabbitmq.reply-to", "", true) { |_, _, body| replies << body }
  client.default_exchange.publish("question", routing_key: RPC, reply_to: "amq.rabbitmq.reply-to")
  _, properties, body = get(channel, RPC)
  channel.default_exchange.publish(body.upcase, routing_key: properties[:reply_to])
  puts "reply #{replies.pop}"
end

# Headers of every type, then a body of many frames.
def contents(channel)
  headers = {
    "true" => true, "small" => -1, "large" => 2**40, "double" => 1.5, "text" => "grüße".b, "none" => nil,
    "time" => Time.at(1_767_323_045), "array" => [1, "two", [-3]], "table" => {"inner" => {"deep" => true}}
  }
  channel.default_exchange.publish("", routing_key: RPC, headers: headers)
  _, properties, = get(channel, RPC)
  puts "headers equal" if properties[:headers] == headers
  body = "0123456789abcdef" * 2**16
  channel.default_exchange.publish(body, routing_key: RPC)
  _, _, received = get(channel, RPC)
  puts "large #{received.bytesize} equal" if received == body
end

# A queue that is not there costs a channel.
def missing(connection)
  connection.create_channel.queue("#{PREFIX}.missing", passive: true)
rescue Bunny::NotFound => e
  puts "missing #{e.channel_close.reply_code}"
end

def volume(connection, channel)
  channel.queue(BULK, durable: true)
  10_000.times { |n| channel.default_exchange.publish(n.to_s, routing_key: BULK, persistent: true) }
  raise "not confirmed" unless channel.wait_for_confirms
  received = ::Queue.new
  consumer = connection.create_channel
  consumer.prefetch(500)
  consumer.queue(BULK, durable: true).subscribe(manual_ack: true) do |delivery, _, body|
    received << body
    consumer.ack(delivery.delivery_tag, true) if (received.size % 100).zero?
  end
  bodies = Array.new(10_000) { received.pop.to_i } if wait_for(received, 10_000)
  raise "out of order" unless bodies == (0...10_000).to_a
  puts "messages 10000 in order"
end

def wait_for(queue, size)
  sleep 0.01 until queue.size >= size
  true
end

recoveries = ::Queue.new
connection = connect { recoveries << true }
channel = connection.create_channel
channel.confirm_select
exchange = channel.topic(EXCHANGE, durable: true)
channel.queue(QUEUE, durable: true).bind(exchange, routing_key: "a.#")
puts "topology"
100.times { |n| exchange.publish(n.to_s, routing_key: "a.b", persistent: true) }
raise "not confirmed" unless channel.wait_for_confirms
puts "confirmed 100"
returns = ::Queue.new
exchange.on_return { |info, _, _| returns << info }
exchange.publish("lost", routing_key: "nowhere", mandatory: true)
returned = returns.pop
puts "returned #{returned.reply_code} #{returned.reply_text}"
prefetch(channel)
dead_letters(channel)
rpc(connection, channel)
contents(channel)
missing(connection)
volume(connection, channel)
exchange.publish("survivor", routing_key: "a.b", persistent: true)
channel.wait_for_confirms
puts "restart"
$stdin.gets
recoveries.pop
puts "recovered #{get(channel, QUEUE).last}"
channel.exchange_delete(EXCHANGE)
[QUEUE, WORK, DEAD, RPC, BULK].each { |queue| channel.queue_delete(queue) }
connection.close
puts "done"
