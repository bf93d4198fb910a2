// Runs the scenario with amqp091-go and prints one line of JSON for each step.
// Usage: scenario URL NAME (the name of the queue and the exchange to use)
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	total    = 1000
	prefetch = 10
)

type facts map[string]any

func report(step string, found facts) {
	found["step"] = step
	line, err := json.Marshal(found)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

type scenario struct {
	connection *amqp.Connection
	channel    *amqp.Channel
	name       string
}

func (s *scenario) open() *amqp.Channel {
	channel, err := s.connection.Channel()
	check(err)
	return channel
}

func (s *scenario) ready() int {
	queue, err := s.channel.QueueDeclarePassive(s.name, false, false, true, false, nil)
	check(err)
	return queue.Messages
}

func (s *scenario) publish(channel *amqp.Channel, key string, mandatory bool, message amqp.Publishing) {
	check(channel.Publish(s.name, key, mandatory, false, message))
}

func (s *scenario) get() amqp.Delivery {
	delivery, found, err := s.channel.Get(s.name, true)
	check(err)
	if !found {
		log.Panic("the queue is empty")
	}
	return delivery
}

func (s *scenario) declare() {
	check(s.channel.ExchangeDeclare(s.name, "topic", false, true, false, false, nil))
	queue, err := s.channel.QueueDeclare(s.name, false, false, true, false, nil)
	check(err)
	check(s.channel.QueueBind(s.name, "order.#", s.name, false, nil))
	report("declare", facts{"messages": queue.Messages, "consumers": queue.Consumers})
}

func (s *scenario) publishAll() {
	channel := s.open()
	check(channel.Confirm(false))
	confirms := channel.NotifyPublish(make(chan amqp.Confirmation, total))
	for number := 0; number < total; number++ {
		s.publish(channel, "order.new", false, amqp.Publishing{Body: []byte(strconv.Itoa(number))})
	}
	confirmed := 0
	for number := 0; number < total; number++ {
		if confirmation := <-confirms; confirmation.Ack {
			confirmed++
		}
	}
	report("publish", facts{"confirmed": confirmed, "ready": s.ready()})
}

func (s *scenario) consume() {
	channel := s.open()
	check(channel.Qos(prefetch, 0, false))
	deliveries, err := channel.Consume(s.name, "", false, false, false, false, nil)
	check(err)
	held := make([]amqp.Delivery, 0, prefetch)
	for len(held) < prefetch {
		held = append(held, <-deliveries)
	}
	report("prefetch", facts{"held": len(held), "ready": s.ready()})
	var counts tally
	for _, delivery := range held {
		counts.settle(delivery)
	}
	for counts.acked+counts.rejected < total {
		counts.settle(<-deliveries)
	}
	check(channel.Close())
	report("settle", facts{
		"acked":       counts.acked,
		"requeued":    counts.requeued,
		"redelivered": counts.redelivered,
		"rejected":    counts.rejected,
		"ready":       s.ready(),
	})
}

type tally struct {
	acked, requeued, redelivered, rejected int
}

func (t *tally) settle(delivery amqp.Delivery) {
	number, err := strconv.Atoi(string(delivery.Body))
	check(err)
	if delivery.Redelivered {
		t.redelivered++
	}
	switch digit := number % 10; {
	case digit == 7:
		check(delivery.Reject(false))
		t.rejected++
	case digit == 3 && !delivery.Redelivered:
		check(delivery.Nack(false, true))
		t.requeued++
	default:
		check(delivery.Ack(false))
		t.acked++
	}
}

func (s *scenario) publishUnroutable() {
	channel := s.open()
	returns := channel.NotifyReturn(make(chan amqp.Return, 1))
	s.publish(channel, "nowhere", true, amqp.Publishing{Body: []byte("lost")})
	returned := <-returns
	report("return", facts{"code": returned.ReplyCode, "text": returned.ReplyText, "body": string(returned.Body)})
}

func (s *scenario) sendHeaders() {
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
	s.publish(s.channel, "order.new", false, amqp.Publishing{
		Headers: headers, CorrelationId: "c-1", ContentType: "text/plain", Priority: 7, Type: "greeting",
	})
	received := s.get()
	isEqual := reflect.DeepEqual(headers, received.Headers) && received.CorrelationId == "c-1" &&
		received.ContentType == "text/plain" && received.Priority == 7 && received.Type == "greeting"
	report("headers", facts{"equal": isEqual})
}

func (s *scenario) sendLargeBody() {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	s.publish(s.channel, "order.big", false, amqp.Publishing{Body: body})
	received := s.get().Body
	report("large", facts{"bytes": len(received), "equal": bytes.Equal(body, received)})
}

func (s *scenario) transact() {
	channel := s.open()
	check(channel.Tx())
	s.publish(channel, "order.new", false, amqp.Publishing{Body: []byte("rolled back")})
	check(channel.TxRollback())
	s.publish(channel, "order.new", false, amqp.Publishing{Body: []byte("committed")})
	before := s.ready()
	check(channel.TxCommit())
	report("transaction", facts{"before_commit": before, "after_commit": s.ready(), "body": string(s.get().Body)})
}

func (s *scenario) checkMissingQueue() {
	_, err := s.open().QueueDeclarePassive(s.name+"-missing", false, false, false, false, nil)
	var closed *amqp.Error
	if !errors.As(err, &closed) {
		log.Panicf("expected the channel to be closed, not %v", err)
	}
	report("missing", facts{"code": closed.Code, "text": closed.Reason})
	queue, err := s.open().QueueDeclare("", false, false, true, false, nil)
	check(err)
	report("survive", facts{"messages": queue.Messages})
}

func main() {
	connection, err := amqp.Dial(os.Args[1])
	check(err)
	s := &scenario{connection: connection, name: os.Args[2]}
	s.channel = s.open()
	s.declare()
	s.publishAll()
	s.consume()
	s.publishUnroutable()
	s.sendHeaders()
	s.sendLargeBody()
	s.transact()
	s.checkMissingQueue()
	check(connection.Close())
	report("close", facts{"clean": true})
}
