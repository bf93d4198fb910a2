import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.Recoverable;
import com.rabbitmq.client.RecoveryListener;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.LongStringHelper;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/** The scenario with RabbitMQ's Java client, which finds its way back after a restart by itself. */
public class Client {
    private static final String PREFIX = System.getenv("PREFIX") + ".";
    private static final String EXCHANGE = PREFIX + "x";
    private static final String QUEUE = PREFIX + "q";
    private static final String WORK = PREFIX + "work";
    private static final String DEAD = PREFIX + "dead";
    private static final String RPC = PREFIX + "rpc";
    private static final String BULK = PREFIX + "bulk";
    private static final AMQP.BasicProperties PERSISTENT = MessageProperties.MINIMAL_PERSISTENT_BASIC;

    public static void main(String[] arguments) throws Exception {
        Connection connection = connect();
        Channel channel = connection.createChannel();
        channel.confirmSelect();
        channel.exchangeDeclare(EXCHANGE, "topic", true);
        declare(channel, QUEUE, null);
        channel.queueBind(QUEUE, EXCHANGE, "a.#");
        System.out.println("topology");
        publish(channel, EXCHANGE, "a.b", 100);
        System.out.println("confirmed 100");
        returned(channel);
        prefetch(channel);
        deadLetters(channel);
        call(connection, channel);
        contents(channel);
        missing(connection);
        volume(channel);
        channel.basicPublish(EXCHANGE, "a.b", PERSISTENT, "survivor".getBytes());
        channel.waitForConfirmsOrDie(10_000);
        CountDownLatch recovered = recovery(connection);
        System.out.println("restart");
        System.in.read();
        recovered.await();
        System.out.println("recovered " + new String(get(channel, QUEUE, true).getBody()));
        channel.exchangeDelete(EXCHANGE);
        for (String queue : List.of(QUEUE, WORK, DEAD, RPC, BULK)) {
            channel.queueDelete(queue);
        }
        connection.close();
        System.out.println("done");
        System.exit(0);
    }

    private static Connection connect() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(System.getenv("AMQP_URL"));
        factory.setNetworkRecoveryInterval(300);
        return factory.newConnection();
    }

    private static CountDownLatch recovery(Connection connection) {
        CountDownLatch recovered = new CountDownLatch(1);
        ((Recoverable) connection).addRecoveryListener(new RecoveryListener() {
            @Override
            public void handleRecovery(Recoverable recoverable) {
                recovered.countDown();
            }

            @Override
            public void handleRecoveryStarted(Recoverable recoverable) {
            }
        });
        return recovered;
    }

    private static void declare(Channel channel, String queue, Map<String, Object> arguments) throws IOException {
        channel.queueDeclare(queue, true, false, false, arguments);
    }

    private static void publish(Channel channel, String exchange, String key, int count) throws Exception {
        for (int n = 0; n < count; n++) {
            channel.basicPublish(exchange, key, PERSISTENT, Integer.toString(n).getBytes());
        }
        channel.waitForConfirmsOrDie(60_000);
    }

    private static GetResponse get(Channel channel, String queue, boolean autoAck) throws IOException {
        GetResponse response;
        do {
            response = channel.basicGet(queue, autoAck);
        } while (response == null);
        return response;
    }

    private static void returned(Channel channel) throws Exception {
        BlockingQueue<Return> returns = new LinkedBlockingQueue<>();
        channel.addReturnListener(returns::add);
        channel.basicPublish(EXCHANGE, "nowhere", true, PERSISTENT, "lost".getBytes());
        Return back = returns.take();
        System.out.println("returned " + back.getReplyCode() + " " + back.getReplyText());
    }

    private static void prefetch(Channel channel) throws Exception {
        BlockingQueue<Delivery> received = new LinkedBlockingQueue<>();
        channel.basicQos(5);
        String tag = channel.basicConsume(QUEUE, false, (consumer, delivery) -> received.add(delivery), consumer -> { });
        while (received.size() < 5) {
            Thread.sleep(1);
        }
        Thread.sleep(300);
        System.out.println("prefetch " + received.size());
        for (int n = 0; n < 100; n++) {
            channel.basicAck(received.take().getEnvelope().getDeliveryTag(), false);
        }
        channel.basicCancel(tag);
        System.out.println("acked 100");
    }

    private static void deadLetters(Channel channel) throws Exception {
        declare(channel, DEAD, null);
        declare(channel, WORK, Map.of("x-dead-letter-exchange", "", "x-dead-letter-routing-key", DEAD));
        channel.basicPublish("", WORK, PERSISTENT, "bad".getBytes());
        channel.basicNack(get(channel, WORK, false).getEnvelope().getDeliveryTag(), false, true);
        GetResponse again = get(channel, WORK, false);
        if (again.getEnvelope().isRedeliver()) {
            System.out.println("redelivered");
        }
        channel.basicNack(again.getEnvelope().getDeliveryTag(), false, false);
        List<?> deaths = (List<?>) get(channel, DEAD, true).getProps().getHeaders().get("x-death");
        System.out.println("dead " + ((Map<?, ?>) deaths.get(0)).get("reason"));
    }

    private static void call(Connection connection, Channel channel) throws Exception {
        declare(channel, RPC, null);
        BlockingQueue<Delivery> replies = new LinkedBlockingQueue<>();
        channel.basicConsume("amq.rabbitmq.reply-to", true, (consumer, reply) -> replies.add(reply), consumer -> { });
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder().replyTo("amq.rabbitmq.reply-to").build();
        channel.basicPublish("", RPC, properties, "question".getBytes());
        Channel server = connection.createChannel();
        GetResponse request = get(server, RPC, true);
        byte[] answer = new String(request.getBody()).toUpperCase().getBytes();
        server.basicPublish("", request.getProps().getReplyTo(), null, answer);
        System.out.println("reply " + new String(replies.take().getBody()));
    }

    /** Headers of every type, then a body of many frames. */
    private static void contents(Channel channel) throws IOException {
        Map<String, Object> headers = new HashMap<>();
        headers.put("true", true);
        headers.put("byte", (byte) -100);
        headers.put("short", (short) -300);
        headers.put("int", -70_000);
        headers.put("long", 1L << 40);
        headers.put("float", 0.5f);
        headers.put("double", 1.5);
        headers.put("decimal", new BigDecimal("3.14"));
        headers.put("text", LongStringHelper.asLongString("grüße"));
        headers.put("time", new Date(1_767_323_045_000L));
        headers.put("none", null);
        headers.put("array", List.of(1, LongStringHelper.asLongString("two"), List.of(-3L)));
        headers.put("table", Map.of("inner", Map.of("deep", true)));
        channel.basicPublish("", RPC, new AMQP.BasicProperties.Builder().headers(headers).build(), new byte[0]);
        if (headers.equals(get(channel, RPC, true).getProps().getHeaders())) {
            System.out.println("headers equal");
        }
        byte[] body = "0123456789abcdef".repeat(1 << 16).getBytes();
        channel.basicPublish("", RPC, null, body);
        byte[] received = get(channel, RPC, true).getBody();
        if (Arrays.equals(body, received)) {
            System.out.println("large " + received.length + " equal");
        }
    }

    /** A queue that is not there costs a channel. */
    private static void missing(Connection connection) throws IOException {
        try {
            connection.createChannel().queueDeclarePassive(PREFIX + "missing");
        } catch (IOException closed) {
            ShutdownSignalException signal = (ShutdownSignalException) closed.getCause();
            System.out.println("missing " + ((AMQP.Channel.Close) signal.getReason()).getReplyCode());
        }
    }

    private static void volume(Channel channel) throws Exception {
        declare(channel, BULK, null);
        publish(channel, "", BULK, 10_000);
        BlockingQueue<Delivery> received = new LinkedBlockingQueue<>();
        channel.basicQos(500);
        channel.basicConsume(BULK, false, (consumer, delivery) -> received.add(delivery), consumer -> { });
        for (int n = 0; n < 10_000; n++) {
            Delivery delivery = received.take();
            if (!new String(delivery.getBody()).equals(Integer.toString(n))) {
                throw new IllegalStateException("message " + n + " was " + new String(delivery.getBody()));
            }
            if (n % 100 == 99) {
                channel.basicAck(delivery.getEnvelope().getDeliveryTag(), true);
            }
        }
        System.out.println("messages 10000 in order");
    }
}
