//! The scenario with lapin.

use futures_lite::{future::block_on, StreamExt};
use lapin::message::{BasicGetMessage, Delivery};
use lapin::options::*;
use lapin::publisher_confirm::Confirmation;
use lapin::types::{AMQPValue, DecimalValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Error, ExchangeKind, Result};
use std::time::{Duration, Instant};
use std::{env, io, thread};

fn name(part: &str) -> String {
    format!("{}.{part}", env::var("PREFIX").expect("PREFIX"))
}

/// Tries again while the broker is not there.
async fn connect() -> Connection {
    let url = env::var("AMQP_URL").expect("AMQP_URL");
    loop {
        match Connection::connect(&url, ConnectionProperties::default()).await {
            Ok(connection) => return connection,
            Err(_) => thread::sleep(Duration::from_millis(200)),
        }
    }
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..Default::default() }
}

async fn declare(channel: &Channel, part: &str, arguments: FieldTable) -> Result<()> {
    channel.queue_declare(&name(part), durable(), arguments).await.map(drop)
}

/// Publishes a persistent message and returns the confirm to wait for.
async fn publish(channel: &Channel, exchange: &str, key: &str, body: &str) -> Result<lapin::publisher_confirm::PublisherConfirm> {
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let options = BasicPublishOptions { mandatory: key == "nowhere", ..Default::default() };
    channel.basic_publish(exchange, key, options, body.as_bytes(), persistent).await
}

async fn publish_numbers(channel: &Channel, exchange: &str, key: &str, count: usize) -> Result<()> {
    let mut confirms = Vec::with_capacity(count);
    for number in 0..count {
        confirms.push(publish(channel, exchange, key, &number.to_string()).await?);
    }
    for confirm in confirms {
        assert!(confirm.await?.is_ack(), "a message was nacked");
    }
    Ok(())
}

/// Gets a message that may still be on its way.
async fn get(channel: &Channel, part: &str, no_ack: bool) -> Result<BasicGetMessage> {
    loop {
        if let Some(message) = channel.basic_get(&name(part), BasicGetOptions { no_ack }).await? {
            return Ok(message);
        }
    }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

async fn returned(channel: &Channel) -> Result<()> {
    if let Confirmation::Ack(Some(back)) = publish(channel, &name("x"), "nowhere", "lost").await?.await? {
        println!("returned {} {}", back.reply_code, back.reply_text);
    }
    Ok(())
}

async fn prefetch(channel: &Channel) -> Result<()> {
    channel.basic_qos(5, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(&name("q"), "prefetch", options, FieldTable::default()).await?;
    let deadline = Instant::now() + Duration::from_millis(300);
    let mut held: Vec<Delivery> = Vec::new();
    while Instant::now() < deadline {
        if let Some(delivery) = futures_lite::future::poll_once(consumer.next()).await {
            held.push(delivery.expect("a delivery")?);
        }
        thread::sleep(Duration::from_millis(1));
    }
    println!("prefetch {}", held.len());
    for delivery in &held {
        delivery.ack(BasicAckOptions::default()).await?;
    }
    for _ in held.len()..100 {
        consumer.next().await.expect("a delivery")?.ack(BasicAckOptions::default()).await?;
    }
    channel.basic_cancel("prefetch", BasicCancelOptions::default()).await?;
    println!("acked 100");
    Ok(())
}

async fn dead_letters(channel: &Channel) -> Result<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(name("dead").into()));
    declare(channel, "dead", FieldTable::default()).await?;
    declare(channel, "work", arguments).await?;
    publish(channel, "", &name("work"), "bad").await?.await?;
    get(channel, "work", false).await?.reject(BasicRejectOptions { requeue: true }).await?;
    let again = get(channel, "work", false).await?;
    if again.redelivered {
        println!("redelivered");
    }
    again.reject(BasicRejectOptions { requeue: false }).await?;
    let message = get(channel, "dead", true).await?;
    let headers = message.properties.headers().as_ref().expect("headers");
    let deaths = headers.inner()["x-death"].as_array().expect("x-death").as_slice();
    let death = deaths[0].as_field_table().expect("a death");
    println!("dead {}", death.inner()["reason"].as_long_string().expect("a reason"));
    Ok(())
}

async fn call(connection: &Connection) -> Result<()> {
    let client = connection.create_channel().await?;
    let server = connection.create_channel().await?;
    declare(&client, "rpc", FieldTable::default()).await?;
    let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
    let mut replies = client.basic_consume("amq.rabbitmq.reply-to", "", options, FieldTable::default()).await?;
    let asking = BasicProperties::default().with_reply_to("amq.rabbitmq.reply-to".into());
    client.basic_publish("", &name("rpc"), BasicPublishOptions::default(), b"question", asking).await?;
    let request = get(&server, "rpc", true).await?;
    let address = request.properties.reply_to().as_ref().expect("reply_to").to_string();
    publish(&server, "", &address, &text(&request.data).to_uppercase()).await?;
    println!("reply {}", text(&replies.next().await.expect("a reply")?.data));
    Ok(())
}

/// Headers of every type, then a body of many frames.
async fn contents(channel: &Channel) -> Result<()> {
    let mut inner = FieldTable::default();
    inner.insert("deep".into(), AMQPValue::Boolean(true));
    let mut headers = FieldTable::default();
    for (name, value) in [
        ("true", AMQPValue::Boolean(true)),
        ("int8", AMQPValue::ShortShortInt(-100)),
        ("uint8", AMQPValue::ShortShortUInt(200)),
        ("int16", AMQPValue::ShortInt(-300)),
        ("uint16", AMQPValue::ShortUInt(60_000)),
        ("int32", AMQPValue::LongInt(-70_000)),
        ("uint32", AMQPValue::LongUInt(4_000_000_000)),
        ("int64", AMQPValue::LongLongInt(1 << 40)),
        ("float", AMQPValue::Float(0.5)),
        ("double", AMQPValue::Double(1.5)),
        ("decimal", AMQPValue::DecimalValue(DecimalValue { scale: 2, value: 314 })),
        ("text", AMQPValue::LongString("grüße".into())),
        ("bytes", AMQPValue::ByteArray(vec![0, 255].into())),
        ("time", AMQPValue::Timestamp(1_767_323_045)),
        ("none", AMQPValue::Void),
        ("array", AMQPValue::FieldArray(vec![AMQPValue::LongInt(1), AMQPValue::LongString("two".into())].into())),
        ("table", AMQPValue::FieldTable(inner)),
    ] {
        headers.insert(name.into(), value);
    }
    let properties = BasicProperties::default().with_headers(headers.clone());
    channel.basic_publish("", &name("rpc"), BasicPublishOptions::default(), b"", properties).await?.await?;
    if get(channel, "rpc", true).await?.properties.headers().as_ref() == Some(&headers) {
        println!("headers equal");
    }
    let body = "0123456789abcdef".repeat(1 << 16);
    publish(channel, "", &name("rpc"), &body).await?.await?;
    let received = get(channel, "rpc", true).await?.delivery.data;
    if received == body.as_bytes() {
        println!("large {} equal", received.len());
    }
    Ok(())
}

/// A queue that is not there costs a channel.
async fn missing(connection: &Connection) -> Result<()> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let channel = connection.create_channel().await?;
    if let Err(Error::ProtocolError(closed)) = channel.queue_declare(&name("missing"), passive, FieldTable::default()).await {
        println!("missing {}", closed.get_id());
    }
    Ok(())
}

async fn volume(channel: &Channel) -> Result<()> {
    declare(channel, "bulk", FieldTable::default()).await?;
    publish_numbers(channel, "", &name("bulk"), 10_000).await?;
    channel.basic_qos(500, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(&name("bulk"), "", options, FieldTable::default()).await?;
    for number in 0..10_000 {
        let delivery = consumer.next().await.expect("a delivery")?;
        assert_eq!(number.to_string(), text(&delivery.data));
        if number % 100 == 99 {
            delivery.ack(BasicAckOptions { multiple: true }).await?;
        }
    }
    println!("messages 10000 in order");
    Ok(())
}

async fn walk() -> Result<()> {
    let connection = connect().await;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let lasting = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel.exchange_declare(&name("x"), ExchangeKind::Topic, lasting, FieldTable::default()).await?;
    declare(&channel, "q", FieldTable::default()).await?;
    channel.queue_bind(&name("q"), &name("x"), "a.#", QueueBindOptions::default(), FieldTable::default()).await?;
    println!("topology");
    publish_numbers(&channel, &name("x"), "a.b", 100).await?;
    println!("confirmed 100");
    returned(&channel).await?;
    prefetch(&channel).await?;
    dead_letters(&channel).await?;
    call(&connection).await?;
    contents(&channel).await?;
    missing(&connection).await?;
    volume(&channel).await?;
    publish(&channel, &name("x"), "a.b", "survivor").await?.await?;
    println!("restart");
    io::stdin().read_line(&mut String::new()).expect("a line");
    let connection = connect().await;
    let channel = connection.create_channel().await?;
    println!("recovered {}", text(&get(&channel, "q", true).await?.data));
    channel.exchange_delete(&name("x"), ExchangeDeleteOptions::default()).await?;
    for part in ["q", "work", "dead", "rpc", "bulk"] {
        channel.queue_delete(&name(part), QueueDeleteOptions::default()).await?;
    }
    connection.close(200, "Goodbye").await?;
    println!("done");
    Ok(())
}

fn main() -> Result<()> {
    block_on(walk())
}
