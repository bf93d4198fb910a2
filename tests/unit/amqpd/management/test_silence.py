import asyncio

from aiohttp import web

from amqpd.management.silence import Silence


async def _answers(*sent: bytes) -> list[bytes]:
    """What clients are told that send this and then nothing more, by a server with little patience."""
    silence = Silence(0.05)

    async def respond(request: web.Request) -> web.Response:
        silence.heard(request)
        await asyncio.sleep(0.3)
        return web.Response(text="answer")

    application = web.Application()
    application.router.add_get("/", respond)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    silence.watch(runner)
    host, port = runner.addresses[0][:2]
    streams = [await asyncio.open_connection(host, port) for _ in sent]
    for (_, writer), octets in zip(streams, sent, strict=True):
        writer.write(octets)
    told = [await reader.read(12) for reader, _ in streams]
    for _, writer in streams:
        writer.close()
    await silence.stop()
    await runner.cleanup()
    return told


def test_half_a_request_is_not_waited_for() -> None:
    """Who says nothing, or half of a head, is hung up on; who waits for a slow answer to a whole one is not."""
    told = asyncio.run(_answers(b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    assert [b"", b"", b"HTTP/1.1 200"] == told
