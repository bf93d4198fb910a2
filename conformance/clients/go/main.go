// The scenario with amqp091-go.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var (
	url    = os.Getenv("AMQP_URL")
	prefix = os.Getenv("PREFIX") + "."
	ctx    = context.Background()
)

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// connect tries again while the broker is not there.
func connect() *amqp.Connection {
	for {
		if connection, err := amqp.Dial(url); err == nil {
			return connection
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func declare(channel *amqp.Channel, name string, arguments amqp.Table) {
	must(channel.QueueDeclare(prefix+name, true, false, false, false, arguments))
}

// publish sends persistent messages and waits for their confirms.
func publish(channel *amqp.Channel, exchange, key string, bodies ...string) {
	confirms := make([]*amqp.DeferredConfirmation, 0, len(bodies))
	for _, body := range bodies {
		message := amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(body)}
		confirms = append(confirms, must(channel.PublishWithDeferredConfirmWithContext(ctx, exchange, key, false, false, message)))
	}
	for _, confirm := range confirms {
		if !confirm.Wait() {
			log.Fatal("a message was nacked")
		}
	}
}

func numbers(count int) []string {
	bodies := make([]string, count)
	for n := range bodies {
		bodies[n] = strconv.Itoa(n)
	}
	return bodies
}

func returned(channel *amqp.Channel) {
	returns := channel.NotifyReturn(make(chan amqp.Return, 1))
	check(channel.PublishWithContext(ctx, prefix+"x", "nowhere", true, false, amqp.Publishing{Body: []byte("lost")}))
	back := <-returns
	fmt.Println("returned", back.ReplyCode, back.ReplyText)
}

func prefetch(channel *amqp.Channel) {
	check(channel.Qos(5, 0, false))
	deliveries := must(channel.Consume(prefix+"q", "prefetch", false, false, false, false, nil))
	held := []amqp.Delivery{}
	for waiting := true; waiting; {
		select {
		case delivery := <-deliveries:
			held = append(held, delivery)
		case <-time.After(300 * time.Millisecond):
			waiting = false
		}
	}
	fmt.Println("prefetch", len(held))
	for _, delivery := range held {
		check(delivery.Ack(false))
	}
	acked := len(held)
	for ; acked < 100; acked++ {
		check((<-deliveries).Ack(false))
	}
	check(channel.Cancel("prefetch", false))
	fmt.Println("acked", acked)
}

// get polls a queue until a message is there.
func get(channel *amqp.Channel, name string, autoAck bool) amqp.Delivery {
	for {
		delivery, found, err := channel.Get(prefix+name, autoAck)
		check(err)
		if found {
			return delivery
		}
	}
}

func deadLetters(channel *amqp.Channel) {
	declare(channel, "dead", nil)
	declare(channel, "work", amqp.Table{"x-dead-letter-exchange": "", "x-dead-letter-routing-key": prefix + "dead"})
	publish(channel, "", prefix+"work", "bad")
	check(get(channel, "work", false).Nack(false, true))
	again := get(channel, "work", false)
	if again.Redelivered {
		fmt.Println("redelivered")
	}
	check(again.Nack(false, false))
	deaths := get(channel, "dead", true).Headers["x-death"].([]interface{})
	fmt.Println("dead", deaths[0].(amqp.Table)["reason"])
}

func call(connection *amqp.Connection, channel *amqp.Channel) {
	declare(channel, "rpc", nil)
	replies := must(channel.Consume("amq.rabbitmq.reply-to", "", true, false, false, false, nil))
	question := amqp.Publishing{ReplyTo: "amq.rabbitmq.reply-to", Body: []byte("question")}
	check(channel.PublishWithContext(ctx, "", prefix+"rpc", false, false, question))
	server := must(connection.Channel())
	request := get(server, "rpc", true)
	answer := amqp.Publishing{Body: bytes.ToUpper(request.Body)}
	check(server.PublishWithContext(ctx, "", request.ReplyTo, false, false, answer))
	fmt.Println("reply", string((<-replies).Body))
}

// contents sends headers of every type, then a body of many frames.
func contents(channel *amqp.Channel) {
	headers := amqp.Table{
		"true":    true,
		"byte":    uint8(200),
		"int8":    int8(-100),
		"int16":   int16(-300),
		"int32":   int32(-70000),
		"int64":   int64(1) << 40,
		"float32": float32(0.5),
		"float64": 1.5,
		"decimal": amqp.Decimal{Scale: 2, Value: 314},
		"text":    "grüße",
		"bytes":   []byte{0, 255},
		"time":    time.Unix(1767323045, 0),
		"none":    nil,
		"array":   []any{int32(1), "two", []any{int64(-3)}},
		"table":   amqp.Table{"inner": amqp.Table{"deep": true}},
	}
	check(channel.PublishWithContext(ctx, "", prefix+"rpc", false, false, amqp.Publishing{Headers: headers}))
	if reflect.DeepEqual(headers, get(channel, "rpc", true).Headers) {
		fmt.Println("headers equal")
	}
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	check(channel.PublishWithContext(ctx, "", prefix+"rpc", false, false, amqp.Publishing{Body: body}))
	received := get(channel, "rpc", true).Body
	if bytes.Equal(body, received) {
		fmt.Println("large", len(received), "equal")
	}
}

// missing asks for a queue that is not there, which costs a channel.
func missing(connection *amqp.Connection) {
	_, err := must(connection.Channel()).QueueDeclarePassive(prefix+"missing", true, false, false, false, nil)
	var closed *amqp.Error
	if errors.As(err, &closed) {
		fmt.Println("missing", closed.Code)
	}
}

func volume(channel *amqp.Channel) {
	declare(channel, "bulk", nil)
	publish(channel, "", prefix+"bulk", numbers(10000)...)
	check(channel.Qos(500, 0, false))
	deliveries := must(channel.Consume(prefix+"bulk", "", false, false, false, false, nil))
	for n, expected := range numbers(10000) {
		delivery := <-deliveries
		if string(delivery.Body) != expected {
			log.Fatalf("message %d was %q", n, delivery.Body)
		}
		if n%100 == 99 {
			check(delivery.Ack(true))
		}
	}
	fmt.Println("messages 10000 in order")
}

func main() {
	connection := connect()
	channel := must(connection.Channel())
	check(channel.Confirm(false))
	check(channel.ExchangeDeclare(prefix+"x", "topic", true, false, false, false, nil))
	declare(channel, "q", nil)
	check(channel.QueueBind(prefix+"q", "a.#", prefix+"x", false, nil))
	fmt.Println("topology")
	publish(channel, prefix+"x", "a.b", numbers(100)...)
	fmt.Println("confirmed 100")
	returned(channel)
	prefetch(channel)
	deadLetters(channel)
	call(connection, channel)
	contents(channel)
	missing(connection)
	volume(channel)
	publish(channel, prefix+"x", "a.b", "survivor")
	fmt.Println("restart")
	bufio.NewReader(os.Stdin).ReadString('\n')
	connection = connect()
	channel = must(connection.Channel())
	fmt.Println("recovered", string(get(channel, "q", true).Body))
	check(channel.ExchangeDelete(prefix+"x", false, false))
	for _, name := range []string{"q", "work", "dead", "rpc", "bulk"} {
		must(channel.QueueDelete(prefix+name, false, false, false))
	}
	check(connection.Close())
	fmt.Println("done")
}
