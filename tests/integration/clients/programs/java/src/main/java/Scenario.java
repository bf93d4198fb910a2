import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.AMQP.Queue.DeclareOk;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.LongString;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.LongStringHelper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/** Runs the scenario with the Java client and prints one line of JSON for each step. Arguments: URL and a unique name. */
public final class Scenario {
    private static final int TOTAL = 1000;
    private static final int PREFETCH = 10;
    private static final int CONFIRM_MILLISECONDS = 30_000;

    private final Connection connection;
    private final Channel channel;
    private final String name;

    private Scenario(Connection connection, String name) throws IOException {
        this.connection = connection;
        this.channel = connection.createChannel();
        this.name = name;
    }

    public static void main(String[] arguments) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(arguments[0]);
        try (Connection connection = factory.newConnection()) {
            Scenario scenario = new Scenario(connection, arguments[1]);
            scenario.declare();
            scenario.publish();
            scenario.consume();
            scenario.publishUnroutable();
            scenario.sendHeaders();
            scenario.sendLargeBody();
            scenario.transact();
            scenario.checkMissingQueue();
        }
        report("{'step': 'close', 'clean': true}");
    }

    private static void report(String format, Object... facts) {
        System.out.println(String.format(format.replace('\'', '"'), facts));
    }

    private long ready() throws IOException {
        return channel.messageCount(name);
    }

    private byte[] get() throws IOException {
        return channel.basicGet(name, true).getBody();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] body) {
        return new String(body, StandardCharsets.UTF_8);
    }

    private void declare() throws IOException {
        channel.exchangeDeclare(name, "topic", false, true, null);
        DeclareOk queue = channel.queueDeclare(name, false, true, false, null);
        channel.queueBind(name, name, "order.#");
        report("{'step': 'declare', 'messages': %d, 'consumers': %d}", queue.getMessageCount(), queue.getConsumerCount());
    }

    private void publish() throws Exception {
        Channel publisher = connection.createChannel();
        publisher.confirmSelect();
        for (int number = 0; number < TOTAL; number++) {
            publisher.basicPublish(name, "order.new", null, bytes(Integer.toString(number)));
        }
        publisher.waitForConfirmsOrDie(CONFIRM_MILLISECONDS);
        report("{'step': 'publish', 'confirmed': %d, 'ready': %d}", publisher.getNextPublishSeqNo() - 1, ready());
        publisher.close();
    }

    private void consume() throws Exception {
        Channel consumer = connection.createChannel();
        BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
        consumer.basicQos(PREFETCH);
        String tag = consumer.basicConsume(name, false, (consumerTag, delivery) -> deliveries.add(delivery), consumerTag -> {});
        List<Delivery> held = new ArrayList<>();
        while (held.size() < PREFETCH) {
            held.add(deliveries.take());
        }
        report("{'step': 'prefetch', 'held': %d, 'ready': %d}", held.size(), ready());
        Tally tally = new Tally(consumer);
        for (Delivery delivery : held) {
            tally.settle(delivery);
        }
        while (tally.acked + tally.rejected < TOTAL) {
            tally.settle(deliveries.take());
        }
        consumer.basicCancel(tag);
        consumer.close();
        report(
            "{'step': 'settle', 'acked': %d, 'requeued': %d, 'redelivered': %d, 'rejected': %d, 'ready': %d}",
            tally.acked, tally.requeued, tally.redelivered, tally.rejected, ready());
    }

    /** Settles deliveries by the last digit of their number, and counts. */
    private static final class Tally {
        private final Channel channel;
        private int acked;
        private int requeued;
        private int redelivered;
        private int rejected;

        private Tally(Channel channel) {
            this.channel = channel;
        }

        private void settle(Delivery delivery) throws IOException {
            int digit = Integer.parseInt(text(delivery.getBody())) % 10;
            long tag = delivery.getEnvelope().getDeliveryTag();
            boolean isRedelivered = delivery.getEnvelope().isRedeliver();
            if (isRedelivered) {
                redelivered++;
            }
            if (digit == 7) {
                channel.basicReject(tag, false);
                rejected++;
            } else if (digit == 3 && !isRedelivered) {
                channel.basicNack(tag, false, true);
                requeued++;
            } else {
                channel.basicAck(tag, false);
                acked++;
            }
        }
    }

    private void publishUnroutable() throws Exception {
        Channel publisher = connection.createChannel();
        BlockingQueue<Return> returns = new ArrayBlockingQueue<>(1);
        publisher.addReturnListener(returns::add);
        publisher.basicPublish(name, "nowhere", true, null, bytes("lost"));
        Return lost = returns.take();
        report(
            "{'step': 'return', 'code': %d, 'text': '%s', 'body': '%s'}",
            lost.getReplyCode(), lost.getReplyText(), text(lost.getBody()));
        publisher.close();
    }

    private void sendHeaders() throws IOException {
        LongString greeting = LongStringHelper.asLongString("grüße");
        Map<String, Object> headers = new HashMap<>();
        headers.put("true", true);
        headers.put("byte", (byte) -100);
        headers.put("short", (short) -300);
        headers.put("int", -70_000);
        headers.put("long", 1L << 40);
        headers.put("float", 0.5f);
        headers.put("double", 1.5);
        headers.put("decimal", new BigDecimal("3.14"));
        headers.put("text", greeting);
        headers.put("time", new Date(1_767_323_045_000L));
        headers.put("none", null);
        headers.put("array", List.of(1, greeting, List.of(-3L)));
        headers.put("table", Map.of("inner", Map.of("deep", true)));
        BasicProperties sent = new BasicProperties.Builder()
            .headers(headers).correlationId("c-1").contentType("text/plain").priority(7).type("greeting").build();
        channel.basicPublish(name, "order.new", sent, new byte[0]);
        BasicProperties received = channel.basicGet(name, true).getProps();
        report("{'step': 'headers', 'equal': %b}", sent.equals(received));
    }

    private void sendLargeBody() throws IOException {
        byte[] body = bytes("0123456789abcdef".repeat(1 << 16));
        channel.basicPublish(name, "order.big", null, body);
        byte[] received = get();
        report("{'step': 'large', 'bytes': %d, 'equal': %b}", received.length, Arrays.equals(body, received));
    }

    private void transact() throws Exception {
        Channel transactional = connection.createChannel();
        transactional.txSelect();
        transactional.basicPublish(name, "order.new", null, bytes("rolled back"));
        transactional.txRollback();
        transactional.basicPublish(name, "order.new", null, bytes("committed"));
        long before = ready();
        transactional.txCommit();
        report(
            "{'step': 'transaction', 'before_commit': %d, 'after_commit': %d, 'body': '%s'}",
            before, ready(), text(get()));
        transactional.close();
    }

    private void checkMissingQueue() throws Exception {
        Channel doomed = connection.createChannel();
        CompletableFuture<ShutdownSignalException> shutdown = new CompletableFuture<>();
        doomed.addShutdownListener(shutdown::complete);
        try {
            doomed.queueDeclarePassive(name + "-missing");
        } catch (IOException expected) {
            var close = (com.rabbitmq.client.AMQP.Channel.Close) shutdown.get().getReason();
            report("{'step': 'missing', 'code': %d, 'text': %s}", close.getReplyCode(), quoted(close.getReplyText()));
        }
        report("{'step': 'survive', 'messages': %d}", connection.createChannel().queueDeclare().getMessageCount());
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
