"""The WebSocket: commands are checked, one page edits at a time, and pictures never queue up."""

import json

import pytest
from starlette.websockets import WebSocketDisconnect

from tests.realedit.studio.fakes import ORIGIN, PORT, entered, studio

SOCKET = f"ws://127.0.0.1:{PORT}/api/socket"
HEADERS = {"origin": ORIGIN}
WRONG = [
    "", "{}", "[]", "x" * 5000,
    '{"type":"press"}',
    '{"type":"press","x":1e9,"y":0,"number":0}',
    '{"type":"press","x":NaN,"y":0,"number":0}',
    '{"type":"eval","x":1}',
    '{"type":"show","photo":"../../etc"}',
    '{"type":"apply","recipe":"/etc/passwd","strength":1}',
    '{"type":"undo","more":1}',
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_command_ends_the_connection(text: str) -> None:
    made, bridge = studio()
    with entered(made) as browser, browser.websocket_connect(SOCKET, headers=HEADERS) as socket:
        socket.send_text(text)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                socket.receive_text()
        assert closed.value.code == 4400
    assert {type(each).__name__ for each in bridge.sent} <= {"Stop", "Release"}  # as for any page that leaves


def test_the_second_page_waits_its_turn_and_closing_the_first_stops_its_drag() -> None:
    made, bridge = studio()
    with entered(made) as browser, browser.websocket_connect(SOCKET, headers=HEADERS) as first:
        assert first.receive_json()["type"] == "hello"
        with browser.websocket_connect(SOCKET, headers=HEADERS) as second:
            assert second.receive_json() == {"type": "waiting", "place": 1}
            second.send_text('{"type":"undo"}')
            first.send_text('{"type":"redo"}')
            first.close()
            assert second.receive_json()["type"] == "hello"
    kinds = [type(each).__name__ for each in bridge.sent]
    assert "Undo" not in kinds
    assert kinds[:3] == ["Redo", "Stop", "Release"]


def test_pictures_are_dropped_and_never_queued() -> None:
    made, _ = studio()
    with entered(made) as browser, browser.websocket_connect(SOCKET, headers=HEADERS) as socket:
        assert [socket.receive_json()["type"] for _ in range(2)] == ["hello", "state"]
        seat = made.seats.taken
        assert seat is not None and browser.portal is not None
        for number in range(50):
            browser.portal.call(made._hear, {"type": "picture", "number": number}, b"jpeg")
        assert [_number(socket.receive_bytes()) for _ in range(2)] == sorted({0, 1}) or seat.dropped > 0
        socket.send_text('{"type":"shown","number":1}')
        assert _number(socket.receive_bytes()) == 49
        assert seat.dropped >= 46


def _number(message: bytes) -> int:
    length = int.from_bytes(message[:4], "big")
    return int(json.loads(message[4 : 4 + length])["number"])
