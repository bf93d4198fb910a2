// The scenario with amqplib's promises.
const amqp = require('amqplib');
const {isDeepStrictEqual} = require('node:util');
const readline = require('readline');

const {AMQP_URL: url, PREFIX: prefix} = process.env;
const [exchange, queue, work, dead, rpc, bulk] = ['x', 'q', 'work', 'dead', 'rpc', 'bulk'].map(name => `${prefix}.${name}`);
const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

async function connect() {
  for (;;) {
    try {
      const connection = await amqp.connect(url);
      connection.on('error', () => {});
      return connection;
    } catch {
      await pause(200);
    }
  }
}

async function prefetch(channel) {
  const received = [];
  await channel.prefetch(5);
  const {consumerTag} = await channel.consume(queue, message => received.push(message));
  while (received.length < 5) await pause(1);
  await pause(300);
  console.log(`prefetch ${received.length}`);
  let acked = 0;
  while (acked < 100) {
    while (acked < received.length) channel.ack(received[acked++]);
    await pause(1);
  }
  await channel.cancel(consumerTag);
  console.log(`acked ${acked}`);
}

async function deadLetters(channel) {
  await channel.assertQueue(dead);
  await channel.assertQueue(work, {deadLetterExchange: '', deadLetterRoutingKey: dead});
  channel.sendToQueue(work, Buffer.from('bad'));
  await channel.waitForConfirms();
  channel.nack(await channel.get(work), false, true);
  const again = await channel.get(work);
  if (again.fields.redelivered) console.log('redelivered');
  channel.nack(again, false, false);
  let message = false;
  while (!message) message = await channel.get(dead, {noAck: true});
  console.log(`dead ${message.properties.headers['x-death'][0].reason}`);
}

async function callServer(connection, channel) {
  await channel.assertQueue(rpc);
  const server = await connection.createChannel();
  const {consumerTag} = await server.consume(rpc, request => {
    server.sendToQueue(request.properties.replyTo, Buffer.from(request.content.toString().toUpperCase()));
    server.ack(request);
  });
  const reply = await new Promise(async resolve => {
    await channel.consume('amq.rabbitmq.reply-to', resolve, {noAck: true});
    channel.sendToQueue(rpc, Buffer.from('question'), {replyTo: 'amq.rabbitmq.reply-to'});
  });
  await server.cancel(consumerTag);
  console.log(`reply ${reply.content}`);
}

// Headers of every type, then a body of many frames.
async function contents(channel) {
  const headers = {
    true: true,
    small: -1,
    large: 2 ** 40,
    double: 1.5,
    decimal: {'!': 'decimal', value: {places: 2, digits: 314}},
    text: 'grüße',
    bytes: Buffer.from([0, 255]),
    time: {'!': 'timestamp', value: 1767323045},
    none: null,
    array: [1, 'two', [-3]],
    table: {inner: {deep: true}},
  };
  channel.sendToQueue(rpc, Buffer.alloc(0), {headers});
  await channel.waitForConfirms();
  const {properties} = await channel.get(rpc, {noAck: true});
  if (isDeepStrictEqual({...properties.headers}, headers)) console.log('headers equal');
  const body = Buffer.alloc(2 ** 20, '0123456789abcdef');
  channel.sendToQueue(rpc, body);
  await channel.waitForConfirms();
  const {content} = await channel.get(rpc, {noAck: true});
  if (content.equals(body)) console.log(`large ${content.length} equal`);
}

// A queue that is not there costs a channel.
async function missing(connection) {
  const channel = await connection.createChannel();
  const closed = new Promise(resolve => channel.once('error', resolve));
  await channel.checkQueue(`${prefix}.missing`).catch(() => {});
  console.log(`missing ${(await closed).code}`);
}

async function volume(channel) {
  await channel.assertQueue(bulk);
  for (let n = 0; n < 10000; n++) channel.sendToQueue(bulk, Buffer.from(String(n)), {persistent: true});
  await channel.waitForConfirms();
  await channel.prefetch(500);
  let received = 0;
  await new Promise((resolve, reject) => channel.consume(bulk, message => {
    if (Number(message.content) !== received++) reject(new Error(`message ${received - 1} was ${message.content}`));
    if (received % 100 === 0) channel.ack(message, true);
    if (received === 10000) resolve();
  }));
  console.log(`messages ${received} in order`);
}

async function main() {
  let connection = await connect();
  let channel = await connection.createConfirmChannel();
  channel.on('return', ({fields}) => console.log(`returned ${fields.replyCode} ${fields.replyText}`));
  await channel.assertExchange(exchange, 'topic', {durable: true});
  await channel.assertQueue(queue, {durable: true});
  await channel.bindQueue(queue, exchange, 'a.#');
  console.log('topology');
  for (let n = 0; n < 100; n++) channel.publish(exchange, 'a.b', Buffer.from(String(n)), {persistent: true});
  await channel.waitForConfirms();
  console.log('confirmed 100');
  channel.publish(exchange, 'nowhere', Buffer.from('lost'), {mandatory: true});
  await channel.waitForConfirms();
  await prefetch(channel);
  await deadLetters(channel);
  await callServer(connection, channel);
  await contents(channel);
  await missing(connection);
  await volume(channel);
  channel.publish(exchange, 'a.b', Buffer.from('survivor'), {persistent: true});
  await channel.waitForConfirms();
  console.log('restart');
  const input = readline.createInterface({input: process.stdin});
  await new Promise(resolve => input.once('line', resolve));
  input.close();
  connection = await connect();
  channel = await connection.createChannel();
  console.log(`recovered ${(await channel.get(queue, {noAck: true})).content}`);
  await channel.deleteExchange(exchange);
  for (const name of [queue, work, dead, rpc, bulk]) await channel.deleteQueue(name);
  await connection.close();
  console.log('done');
}

main().catch(error => { console.error(error); process.exit(1); });
