/* The scenario with rabbitmq-c. */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char exchange[300], queue[300], work[300], dead[300], rpc[300], bulk[300];

static amqp_bytes_t bytes(const char *text) { return amqp_cstring_bytes(text); }

static void fail(const char *what) {
  fprintf(stderr, "%s failed\n", what);
  exit(1);
}

static void check(amqp_connection_state_t connection, const char *what) {
  if (amqp_get_rpc_reply(connection).reply_type != AMQP_RESPONSE_NORMAL) fail(what);
}

/* Tries again while the broker is not there. */
static amqp_connection_state_t open_connection(void) {
  static char url[300];
  struct amqp_connection_info info;
  snprintf(url, sizeof url, "%s", getenv("AMQP_URL"));
  amqp_default_connection_info(&info);
  if (amqp_parse_url(url, &info) != AMQP_STATUS_OK) fail("the URL");
  for (;; usleep(200000)) {
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    if (amqp_socket_open(socket, info.host, info.port) == AMQP_STATUS_OK &&
        amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, info.user, info.password).reply_type ==
            AMQP_RESPONSE_NORMAL) {
      amqp_channel_open(connection, 1);
      check(connection, "channel.open");
      return connection;
    }
    amqp_destroy_connection(connection);
  }
}

static void declare(amqp_connection_state_t connection, const char *name, amqp_table_t arguments) {
  amqp_queue_declare(connection, 1, bytes(name), 0, 1, 0, 0, arguments);
  check(connection, "queue.declare");
}

static void publish(amqp_connection_state_t connection, const char *to, const char *key, int mandatory, const char *reply_to,
                    const char *body) {
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2};
  if (reply_to) {
    properties._flags |= AMQP_BASIC_REPLY_TO_FLAG;
    properties.reply_to = bytes(reply_to);
  }
  if (amqp_basic_publish(connection, 1, bytes(to), bytes(key), mandatory, 0, &properties, bytes(body)) != AMQP_STATUS_OK)
    fail("basic.publish");
}

/* The next method, which must be this one. */
static amqp_frame_t next_method(amqp_connection_state_t connection, amqp_method_number_t expected) {
  amqp_frame_t frame;
  if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK || frame.frame_type != AMQP_FRAME_METHOD ||
      frame.payload.method.id != expected)
    fail("waiting for a method");
  return frame;
}

/* Publishes numbers and waits for the confirm of the last one; nothing was confirmed on this channel before. */
static void publish_numbers(amqp_connection_state_t connection, const char *to, const char *key, int count) {
  char body[20];
  for (int n = 0; n < count; n++) {
    snprintf(body, sizeof body, "%d", n);
    publish(connection, to, key, 0, NULL, body);
  }
  for (uint64_t confirmed = 0; confirmed < (uint64_t)count;) {
    amqp_frame_t frame = next_method(connection, AMQP_BASIC_ACK_METHOD);
    confirmed = ((amqp_basic_ack_t *)frame.payload.method.decoded)->delivery_tag;
  }
}

static void confirm_one(amqp_connection_state_t connection) {
  next_method(connection, AMQP_BASIC_ACK_METHOD);
}

static void returned(amqp_connection_state_t connection) {
  amqp_message_t message;
  publish(connection, exchange, "nowhere", 1, NULL, "lost");
  amqp_frame_t frame = next_method(connection, AMQP_BASIC_RETURN_METHOD);
  amqp_basic_return_t *back = frame.payload.method.decoded;
  printf("returned %d %.*s\n", back->reply_code, (int)back->reply_text.len, (char *)back->reply_text.bytes);
  if (amqp_read_message(connection, 1, &message, 0).reply_type != AMQP_RESPONSE_NORMAL) fail("reading a message");
  amqp_destroy_message(&message);
  confirm_one(connection);
}

/* Consumes; 1 when a message came within so many milliseconds. */
static int consume(amqp_connection_state_t connection, amqp_envelope_t *envelope, int milliseconds) {
  struct timeval patience = {milliseconds / 1000, milliseconds % 1000 * 1000};
  amqp_maybe_release_buffers(connection);
  return amqp_consume_message(connection, envelope, &patience, 0).reply_type == AMQP_RESPONSE_NORMAL;
}

static void prefetch(amqp_connection_state_t connection) {
  amqp_envelope_t envelope;
  uint64_t held[100];
  int count = 0, acked = 0;
  amqp_basic_qos(connection, 1, 0, 5, 0);
  amqp_basic_consume(connection, 1, bytes(queue), bytes("prefetch"), 0, 0, 0, amqp_empty_table);
  check(connection, "basic.consume");
  for (; count < 100 && consume(connection, &envelope, 300); count++) {
    held[count] = envelope.delivery_tag;
    amqp_destroy_envelope(&envelope);
  }
  printf("prefetch %d\n", count);
  for (; acked < count; acked++) amqp_basic_ack(connection, 1, held[acked], 0);
  for (; acked < 100 && consume(connection, &envelope, 5000); acked++) {
    amqp_basic_ack(connection, 1, envelope.delivery_tag, 0);
    amqp_destroy_envelope(&envelope);
  }
  amqp_basic_cancel(connection, 1, bytes("prefetch"));
  printf("acked %d\n", acked);
}

/* Gets a message that may still be on its way, and says whether it was delivered before. */
static int get(amqp_connection_state_t connection, const char *name, int no_ack, amqp_message_t *message) {
  amqp_rpc_reply_t reply;
  while ((reply = amqp_basic_get(connection, 1, bytes(name), no_ack)).reply.id != AMQP_BASIC_GET_OK_METHOD) usleep(1000);
  int redelivered = ((amqp_basic_get_ok_t *)reply.reply.decoded)->redelivered;
  if (amqp_read_message(connection, 1, message, 0).reply_type != AMQP_RESPONSE_NORMAL) fail("reading a message");
  return redelivered;
}

static amqp_field_value_t *find(amqp_table_t table, const char *name) {
  for (int i = 0; i < table.num_entries; i++)
    if (table.entries[i].key.len == strlen(name) && !memcmp(table.entries[i].key.bytes, name, strlen(name)))
      return &table.entries[i].value;
  fail(name);
  return NULL;
}

static void dead_letters(amqp_connection_state_t connection) {
  amqp_message_t message;
  amqp_table_entry_t entries[2] = {
      {bytes("x-dead-letter-exchange"), {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes("")}},
      {bytes("x-dead-letter-routing-key"), {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes(dead)}},
  };
  declare(connection, dead, amqp_empty_table);
  declare(connection, work, (amqp_table_t){2, entries});
  publish(connection, "", work, 0, NULL, "bad");
  confirm_one(connection);
  get(connection, work, 0, &message);
  amqp_destroy_message(&message);
  amqp_basic_nack(connection, 1, 0, 1, 1);
  if (get(connection, work, 0, &message)) printf("redelivered\n");
  amqp_destroy_message(&message);
  amqp_basic_nack(connection, 1, 0, 1, 0);
  get(connection, dead, 1, &message);
  amqp_bytes_t reason = find(find(message.properties.headers, "x-death")->value.array.entries[0].value.table, "reason")->value.bytes;
  printf("dead %.*s\n", (int)reason.len, (char *)reason.bytes);
  amqp_destroy_message(&message);
}

/* A connection of its own asks, this one answers. */
static void call(amqp_connection_state_t connection) {
  amqp_message_t request;
  amqp_envelope_t reply;
  char address[300], answer[100];
  amqp_connection_state_t client = open_connection();
  declare(connection, rpc, amqp_empty_table);
  amqp_basic_consume(client, 1, bytes("amq.rabbitmq.reply-to"), amqp_empty_bytes, 0, 1, 0, amqp_empty_table);
  check(client, "basic.consume");
  publish(client, "", rpc, 0, "amq.rabbitmq.reply-to", "question");
  get(connection, rpc, 1, &request);
  snprintf(address, sizeof address, "%.*s", (int)request.properties.reply_to.len, (char *)request.properties.reply_to.bytes);
  for (size_t i = 0; i < request.body.len; i++) answer[i] = toupper(((char *)request.body.bytes)[i]);
  answer[request.body.len] = 0;
  amqp_destroy_message(&request);
  publish(connection, "", address, 0, NULL, answer);
  confirm_one(connection);
  if (!consume(client, &reply, 5000)) fail("the reply");
  printf("reply %.*s\n", (int)reply.message.body.len, (char *)reply.message.body.bytes);
  amqp_destroy_envelope(&reply);
  amqp_connection_close(client, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(client);
}

/* Headers of several types, then a body of many frames. */
static void contents(amqp_connection_state_t connection) {
  static char body[1 << 20];
  amqp_message_t message;
  amqp_table_entry_t inner = {bytes("deep"), {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
  amqp_table_entry_t entries[] = {
      {bytes("int8"), {.kind = AMQP_FIELD_KIND_I8, .value.i8 = -100}},
      {bytes("int16"), {.kind = AMQP_FIELD_KIND_I16, .value.i16 = -300}},
      {bytes("int32"), {.kind = AMQP_FIELD_KIND_I32, .value.i32 = -70000}},
      {bytes("int64"), {.kind = AMQP_FIELD_KIND_I64, .value.i64 = 1LL << 40}},
      {bytes("double"), {.kind = AMQP_FIELD_KIND_F64, .value.f64 = 1.5}},
      {bytes("text"), {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes("grüße")}},
      {bytes("time"), {.kind = AMQP_FIELD_KIND_TIMESTAMP, .value.u64 = 1767323045}},
      {bytes("table"), {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {1, &inner}}},
  };
  amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG, .headers = {8, entries}};
  amqp_basic_publish(connection, 1, amqp_empty_bytes, bytes(rpc), 0, 0, &properties, amqp_empty_bytes);
  confirm_one(connection);
  get(connection, rpc, 1, &message);
  amqp_table_t headers = message.properties.headers;
  amqp_bytes_t text = find(headers, "text")->value.bytes;
  if (headers.num_entries == 8 && find(headers, "int8")->value.i8 == -100 && find(headers, "int16")->value.i16 == -300 &&
      find(headers, "int32")->value.i32 == -70000 && find(headers, "int64")->value.i64 == 1LL << 40 &&
      find(headers, "double")->value.f64 == 1.5 && text.len == strlen("grüße") && !memcmp(text.bytes, "grüße", text.len) &&
      find(headers, "time")->value.u64 == 1767323045 && find(find(headers, "table")->value.table, "deep")->value.boolean)
    printf("headers equal\n");
  amqp_destroy_message(&message);
  for (size_t i = 0; i < sizeof body; i++) body[i] = i * 7;
  amqp_bytes_t large = {sizeof body, body};
  amqp_basic_publish(connection, 1, amqp_empty_bytes, bytes(rpc), 0, 0, NULL, large);
  confirm_one(connection);
  get(connection, rpc, 1, &message);
  if (message.body.len == sizeof body && !memcmp(message.body.bytes, body, sizeof body))
    printf("large %zu equal\n", message.body.len);
  amqp_destroy_message(&message);
}

/* A queue that is not there costs a channel. */
static void missing(amqp_connection_state_t connection) {
  char name[310];
  snprintf(name, sizeof name, "%s.missing", getenv("PREFIX"));
  amqp_channel_open(connection, 2);
  check(connection, "channel.open");
  amqp_queue_declare(connection, 2, bytes(name), 1, 0, 0, 0, amqp_empty_table);
  amqp_rpc_reply_t reply = amqp_get_rpc_reply(connection);
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION && reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
    printf("missing %d\n", ((amqp_channel_close_t *)reply.reply.decoded)->reply_code);
  amqp_channel_close_ok_t closed;
  amqp_send_method(connection, 2, AMQP_CHANNEL_CLOSE_OK_METHOD, &closed);
}

static void volume(void) {
  amqp_envelope_t envelope;
  char expected[20];
  amqp_connection_state_t connection = open_connection();
  declare(connection, bulk, amqp_empty_table);
  amqp_confirm_select(connection, 1);
  publish_numbers(connection, "", bulk, 10000);
  amqp_basic_qos(connection, 1, 0, 500, 0);
  amqp_basic_consume(connection, 1, bytes(bulk), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  for (int n = 0; n < 10000; n++) {
    if (!consume(connection, &envelope, 10000)) fail("waiting for a message");
    snprintf(expected, sizeof expected, "%d", n);
    if (envelope.message.body.len != strlen(expected) || memcmp(envelope.message.body.bytes, expected, strlen(expected)))
      fail(expected);
    if (n % 100 == 99) amqp_basic_ack(connection, 1, envelope.delivery_tag, 1);
    amqp_destroy_envelope(&envelope);
  }
  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(connection);
  printf("messages 10000 in order\n");
}

int main(void) {
  const char *names[] = {"x", "q", "work", "dead", "rpc", "bulk"};
  char *places[] = {exchange, queue, work, dead, rpc, bulk};
  amqp_message_t message;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 0; i < 6; i++) snprintf(places[i], 300, "%s.%s", getenv("PREFIX"), names[i]);
  amqp_connection_state_t connection = open_connection();
  amqp_confirm_select(connection, 1);
  amqp_exchange_declare(connection, 1, bytes(exchange), bytes("topic"), 0, 1, 0, 0, amqp_empty_table);
  declare(connection, queue, amqp_empty_table);
  amqp_queue_bind(connection, 1, bytes(queue), bytes(exchange), bytes("a.#"), amqp_empty_table);
  check(connection, "queue.bind");
  printf("topology\n");
  publish_numbers(connection, exchange, "a.b", 100);
  printf("confirmed 100\n");
  returned(connection);
  prefetch(connection);
  dead_letters(connection);
  call(connection);
  contents(connection);
  missing(connection);
  volume();
  publish(connection, exchange, "a.b", 0, NULL, "survivor");
  confirm_one(connection);
  printf("restart\n");
  getchar();
  connection = open_connection();
  get(connection, queue, 1, &message);
  printf("recovered %.*s\n", (int)message.body.len, (char *)message.body.bytes);
  amqp_exchange_delete(connection, 1, bytes(exchange), 0);
  for (int i = 1; i < 6; i++) amqp_queue_delete(connection, 1, bytes(places[i]), 0, 0);
  amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
  printf("done\n");
  return 0;
}
