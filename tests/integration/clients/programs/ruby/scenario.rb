# Runs the scenario with Bunny and prints one line of JSON for each step.
# Usage: ruby scenario.rb URL NAME (the name of the queue and the exchange to use)

require "bunny"
require "json"

# One run of all steps over one connection.
class Scenario
  TOTAL = 1000
  PREFETCH = 10

  def initialize(connection, name)
    @connection = connection
    @name = name
    @channel = connection.create_channel
  end

  def run
    declare
    publish
    consume
    publish_unroutable
    send_headers
    send_large_body
    transact
    check_missing_queue
  end

  private

  def report(step, **facts)
    puts JSON.generate(step: step, **facts)
  end

  def ready
    @queue.message_count
  end

  def get
    _, properties, body = @queue.pop
    [properties, body]
  end

  def declare
    @exchange = @channel.topic(@name, auto_delete: true)
    @queue = @channel.queue(@name, exclusive: true).bind(@exchange, routing_key: "order.#")
    report("declare", messages: @queue.message_count, consumers: @queue.consumer_count)
  end

  def publish
    channel = @connection.create_channel
    channel.confirm_select
    exchange = channel.exchange(@name, passive: true)
    TOTAL.times { |number| exchange.publish(number.to_s, routing_key: "order.new") }
    raise "not confirmed: #{channel.nacked_set.to_a}" unless channel.wait_for_confirms

    report("publish", confirmed: channel.next_publish_seq_no - 1, ready: ready)
  end

  def consume
    channel = @connection.create_channel
    channel.prefetch(PREFETCH)
    deliveries = Queue.new
    consumer = channel.queue(@name, passive: true).subscribe(manual_ack: true) { |*delivery| deliveries << delivery }
    held = Array.new(PREFETCH) { deliveries.pop }
    report("prefetch", held: held.size, ready: ready)
    counts = { acked: 0, requeued: 0, redelivered: 0, rejected: 0 }
    settle(channel, counts, held.shift || deliveries.pop) while counts[:acked] + counts[:rejected] < TOTAL
    consumer.cancel
    report("settle", **counts, ready: ready)
  end

  def settle(channel, counts, delivery)
    info, _, body = delivery
    counts[:redelivered] += 1 if info.redelivered?
    case [body.to_i % 10, info.redelivered?]
    in [7, _]
      channel.reject(info.delivery_tag, false)
      counts[:rejected] += 1
    in [3, false]
      channel.nack(info.delivery_tag, false, true)
      counts[:requeued] += 1
    else
      channel.ack(info.delivery_tag)
      counts[:acked] += 1
    end
  end

  def publish_unroutable
    returns = Queue.new
    @exchange.on_return { |*returned| returns << returned }
    @exchange.publish("lost", routing_key: "nowhere", mandatory: true)
    info, _, body = returns.pop
    report("return", code: info.reply_code, text: info.reply_text, body: body)
  end

  def send_headers
    headers = {
      "true" => true, "small" => -1, "large" => 2**40, "double" => 1.5, "text" => "grüße".b, "none" => nil,
      "time" => Time.at(1_767_323_045), "array" => [1, "two", [-3]], "table" => { "inner" => { "deep" => true } }
    }
    properties = { correlation_id: "c-1", content_type: "text/plain", priority: 7, type: "greeting" }
    @exchange.publish("", routing_key: "order.new", headers: headers, **properties)
    received, = get
    report("headers", equal: received.headers == headers && received.to_h >= properties)
  end

  def send_large_body
    body = "0123456789abcdef" * 2**16
    @exchange.publish(body, routing_key: "order.big")
    _, received = get
    report("large", bytes: received.bytesize, equal: received == body)
  end

  def transact
    channel = @connection.create_channel
    channel.tx_select
    exchange = channel.exchange(@name, passive: true)
    exchange.publish("rolled back", routing_key: "order.new")
    channel.tx_rollback
    exchange.publish("committed", routing_key: "order.new")
    before = ready
    channel.tx_commit
    report("transaction", before_commit: before, after_commit: ready, body: get.last)
  end

  def check_missing_queue
    @connection.create_channel.queue("#{@name}-missing", passive: true)
  rescue Bunny::NotFound => e
    report("missing", code: e.channel_close.reply_code, text: e.channel_close.reply_text)
    report("survive", messages: @connection.create_channel.queue("", exclusive: true).message_count)
  end
end

url, name = ARGV
connection = Bunny.new(url).start
Scenario.new(connection, name).run
connection.close
puts JSON.generate(step: "close", clean: connection.closed?)
