"""What browsers may send, by messages that go through the middleware as through a server."""

import asyncio
import time

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.features.frame import bounds
from pages.features.frame.bounds import Bounds, Pace
from tests.apart import played


class Server:
    """An app that notes what it is given; ``heard`` are the messages of each of its sockets."""

    def __init__(self):
        self.heard, self.uploading, self.most = [], 0, 0

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.uploading += 1
            self.most = max(self.most, self.uploading)
            try:
                while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                    pass
                self.heard.append(message["type"])
            finally:
                self.uploading -= 1
            return
        heard = []
        self.heard.append(heard)
        while True:
            message = await receive()
            heard.append(message["type"])
            if message["type"] == "websocket.disconnect":
                return


class Socket:
    """A browser's side."""

    def __init__(self, app, address="10.0.0.1", headers=None):
        self.scope = {"type": "websocket", "client": (address, 1), "headers": headers or []}
        self.to_server, self.answers = asyncio.Queue(), []
        self.task = asyncio.create_task(app(self.scope, self.to_server.get, self._take))

    async def _take(self, message):
        self.answers.append(message)

    def send(self, content=b""):
        self.to_server.put_nowait({"type": "websocket.receive", "bytes": content})

    async def leave(self):
        self.to_server.put_nowait({"type": "websocket.disconnect"})
        await self.task

    @property
    def code(self):
        return next((each["code"] for each in self.answers if each["type"] == "websocket.close"), 0)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


def rerun(widgets=1, text=0):
    message = BackMsg()
    for i in range(widgets):
        message.rerun_script.widget_states.widgets.add(id=str(i), string_value="x" * text)
    return message.SerializeToString()


def urls(count):
    message = BackMsg()
    message.file_urls_request.file_names.extend([""] * count)
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (rerun(), 0),
        (urls(bounds.FILE_URLS), 0),
        (b"no message", 0),
        (rerun(text=bounds.MESSAGE_BYTES), 1009),
        (urls(bounds.FILE_URLS + 1), 1008),
        (rerun(widgets=bounds.WIDGETS + 1), 1008),
    ],
)
def test_a_message_that_no_page_sends_ends_its_socket(content, code):
    async def play():
        server = Server()
        socket = Socket(Bounds(server))
        socket.send(content)
        await settle()
        assert socket.code == code
        assert server.heard[0][-1] == ("websocket.disconnect" if code else "websocket.receive")
        if not code:
            await socket.leave()

    played(play())


def test_large_messages_of_all_share_a_budget_and_small_ones_always_pass(monkeypatch):
    monkeypatch.setattr(bounds, "HELD_BYTES", 500_000)

    async def play():
        app = Bounds(Server())
        sockets = [Socket(app) for _ in range(7)]
        for socket in sockets:
            socket.send(rerun(text=100_000))
            socket.send(rerun(text=90_000))  # takes the place of the first
        await settle()
        assert [socket.code for socket in sockets] == [0] * 4 + [1013] * 3
        sockets.append(Socket(app))
        sockets[-1].send(rerun(text=1000))
        await sockets[0].leave()
        sockets.append(Socket(app))
        sockets[-1].send(rerun(text=100_000))
        await settle()
        assert [socket.code for socket in sockets[-2:]] == [0, 0]

    played(play())


def test_whoever_sends_faster_waits_and_nobody_else(monkeypatch):
    monkeypatch.setattr(bounds, "SOCKET_BURST", 5)
    monkeypatch.setattr(bounds, "SOCKET_RATE", 20.0)

    async def play():
        server = Server()
        app = Bounds(server)
        fast, slow = Socket(app), Socket(app, "10.0.0.2")
        for _ in range(100):
            fast.send(rerun())
        began = time.monotonic()
        slow.send(rerun())
        await settle()
        assert len(server.heard[1]) == 1 and len(server.heard[0]) == 5
        await asyncio.sleep(0.5)
        assert 5 < len(server.heard[0]) <= 5 + 20 * (time.monotonic() - began) + 1
        fast.task.cancel()

    played(play())


def test_a_place_has_a_pace_too_but_this_machine_has_none(monkeypatch):
    monkeypatch.setattr(bounds, "PLACE_BURST", 10)
    monkeypatch.setattr(bounds, "PLACE_RATE", 1.0)

    async def play():
        for address, heard in (("10.0.0.1", 10), ("127.0.0.1", 40)):
            server = Server()
            app = Bounds(server)
            sockets = [Socket(app, address) for _ in range(20)]
            for socket in sockets:
                socket.send(rerun())
                socket.send(rerun())
            await settle()
            assert sum(map(len, server.heard)) == heard
            for socket in sockets:
                socket.task.cancel()

    played(play())


def test_who_closes_all_sockets_and_comes_again_has_no_new_burst(monkeypatch):
    monkeypatch.setattr(bounds, "PLACE_BURST", 10)
    monkeypatch.setattr(bounds, "PLACE_RATE", 0.1)

    async def play():
        server = Server()
        app = Bounds(server)
        for _ in range(5):
            socket = Socket(app)
            for _ in range(8):
                socket.send(rerun())
            await settle()
            socket.task.cancel()
            await asyncio.gather(socket.task, return_exceptions=True)
        assert sum(map(len, server.heard)) == 10

    played(play())


def test_a_place_has_so_many_sockets_and_all_places_so_many(monkeypatch):
    monkeypatch.setattr(bounds, "PLACE_SOCKETS", 3)
    monkeypatch.setattr(bounds, "SOCKETS", 5)

    async def play():
        server = Server()
        app = Bounds(server)
        sockets = [Socket(app) for _ in range(4)] + [Socket(app, "10.0.0.2") for _ in range(3)]
        for socket in sockets:
            socket.send(rerun())
        await settle()
        assert [socket.code for socket in sockets] == [0, 0, 0, 1013, 0, 0, 1013]
        await sockets[0].leave()
        again = Socket(app)
        again.send(rerun())
        await settle()
        assert again.code == 0

    played(play())


def upload(app, receive, address="10.0.0.1"):
    async def send(message):
        pass

    scope = {"type": "http", "method": "PUT", "path": "/_stcore/upload_file/a/b"}
    scope |= {"client": (address, 1), "headers": []}
    return asyncio.create_task(app(scope, receive, send))


def test_uploads_take_turns_and_one_that_stands_still_is_ended(monkeypatch):
    monkeypatch.setattr(bounds, "CHUNK_SECONDS", 0.2)

    async def silent():
        await asyncio.sleep(60)

    async def whole():
        return {"type": "http.request", "body": b"x", "more_body": False}

    async def play():
        server = Server()
        app = Bounds(server)
        standing = [upload(app, silent) for _ in range(10)]
        await settle()
        assert server.uploading == bounds.PLACE_UPLOADS
        other = upload(app, whole, "10.0.0.2")
        await asyncio.wait_for(other, 1)
        await asyncio.wait_for(asyncio.gather(*standing), 5)
        assert server.most == bounds.PLACE_UPLOADS + 1
        assert server.heard == ["http.request"] + ["http.disconnect"] * 10

    played(play())


def test_a_pace_lets_a_burst_by_and_then_so_many_a_second():
    async def play():
        pace, began = Pace(50.0, 10), time.monotonic()
        for _ in range(20):
            await pace.take()
        return time.monotonic() - began

    assert 0.18 <= played(play()) < 1


@pytest.mark.parametrize(
    ("origin", "host", "passes"),
    [
        (None, "a.school:8501", True),
        ("http://a.school:8501", "a.school:8501", True),
        ("https://a.school", "a.school", True),
        ("https://a.school:8443", "a.school", True),
        ("http://a.school:1234", "a.school:8501", False),
        ("http://evil.example", "a.school:8501", False),
        ("null", "a.school:8501", False),
        ("http://[", "a.school:8501", False),
    ],
)
def test_a_page_of_another_host_gets_no_socket_and_streamlit_does_not_hear_of_it(origin, host, passes):
    async def play():
        server = Server()
        headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
        socket = Socket(Bounds(server), headers=headers)
        socket.send(rerun())
        await settle()
        assert (len(server.heard) == 1, socket.code == 0) == (passes, passes)
        socket.task.cancel()

    played(play())
