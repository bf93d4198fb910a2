// Runs the scenario with amqplib and prints one line of JSON for each step.
// Usage: node scenario.js URL NAME (the name of the queue and the exchange to use)

const assert = require("node:assert");
const amqp = require("amqplib");

const TOTAL = 1000;
const PREFETCH = 10;
const [url, name] = process.argv.slice(2);

function report(step, facts) {
  console.log(JSON.stringify({ step, ...facts }));
}

async function ready(channel) {
  return (await channel.checkQueue(name)).messageCount;
}

async function declare(channel) {
  await channel.assertExchange(name, "topic", { durable: false, autoDelete: true });
  const { messageCount, consumerCount } = await channel.assertQueue(name, { exclusive: true });
  await channel.bindQueue(name, name, "order.#");
  report("declare", { messages: messageCount, consumers: consumerCount });
}

async function publish(channel) {
  let confirmed = 0;
  for (let number = 0; number < TOTAL; number++) {
    channel.publish(name, "order.new", Buffer.from(String(number)), {}, (error) => {
      if (!error) confirmed++;
    });
  }
  await channel.waitForConfirms();
  report("publish", { confirmed, ready: await ready(channel) });
}

async function consume(channel) {
  const counts = { acked: 0, requeued: 0, redelivered: 0, rejected: 0 };
  const held = [];
  let isHolding = true;
  let holds, settledAll;
  const holding = new Promise((resolve) => (holds = resolve));
  const settled = new Promise((resolve) => (settledAll = resolve));

  function settle(message) {
    const digit = Number(message.content.toString()) % 10;
    const { redelivered } = message.fields;
    if (redelivered) counts.redelivered++;
    if (digit === 7) {
      channel.reject(message, false);
      counts.rejected++;
    } else if (digit === 3 && !redelivered) {
      channel.nack(message, false, true);
      counts.requeued++;
    } else {
      channel.ack(message);
      counts.acked++;
    }
    if (counts.acked + counts.rejected === TOTAL) settledAll();
  }

  function receive(message) {
    if (!isHolding) return settle(message);
    held.push(message);
    if (held.length === PREFETCH) holds();
  }

  await channel.prefetch(PREFETCH);
  const { consumerTag } = await channel.consume(name, receive);
  await holding;
  report("prefetch", { ready: await ready(channel), held: held.length });
  isHolding = false;
  held.forEach(settle);
  await settled;
  await channel.cancel(consumerTag);
  report("settle", { ...counts, ready: await ready(channel) });
}

async function publishUnroutable(channel) {
  const returned = new Promise((resolve) => channel.once("return", resolve));
  channel.publish(name, "nowhere", Buffer.from("lost"), { mandatory: true });
  const { fields, content } = await returned;
  await channel.waitForConfirms();
  report("return", { code: fields.replyCode, text: fields.replyText, body: content.toString() });
}

async function sendHeaders(channel) {
  const headers = {
    true: true,
    small: -1,
    large: 2 ** 40,
    double: 1.5,
    decimal: { "!": "decimal", value: { places: 2, digits: 314 } },
    text: "grüße",
    bytes: Buffer.from([0, 255]),
    time: { "!": "timestamp", value: 1767323045 },
    none: null,
    array: [1, "two", [-3]],
    table: { inner: { deep: true } },
  };
  const properties = { correlationId: "c-1", contentType: "text/plain", priority: 7, messageId: "m-1", type: "greeting" };
  channel.publish(name, "order.new", Buffer.alloc(0), { headers, ...properties });
  const message = await channel.get(name, { noAck: true });
  assert.deepStrictEqual({ ...message.properties.headers }, headers);
  const received = Object.keys(properties).map((property) => message.properties[property]);
  assert.deepStrictEqual(received, Object.values(properties));
  report("headers", { equal: true });
}

async function sendLargeBody(channel) {
  const body = Buffer.alloc(2 ** 20, "0123456789abcdef");
  channel.publish(name, "order.big", body);
  const { content } = await channel.get(name, { noAck: true });
  report("large", { bytes: content.length, equal: content.equals(body) });
}

async function checkMissingQueue(connection) {
  const channel = await connection.createChannel();
  const closed = new Promise((resolve) => channel.once("error", resolve));
  await channel.checkQueue(`${name}-missing`).catch(() => {});
  const error = await closed;
  report("missing", { code: error.code, text: error.message.match(/with message "(.*)"/)[1] });
  const { messageCount } = await (await connection.createChannel()).assertQueue("", { exclusive: true });
  report("survive", { messages: messageCount });
}

async function main() {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  await declare(channel);
  await publish(channel);
  await consume(channel);
  await publishUnroutable(channel);
  await sendHeaders(channel);
  await sendLargeBody(channel);
  await checkMissingQueue(connection);
  await channel.close();
  await connection.close();
  report("close", { clean: true });
}

main();
