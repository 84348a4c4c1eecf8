"""What attacks send: webhooks from many threads, and requests that are never complete."""

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from tests.builders.events import box, event

HALF = (
    b"",
    b"GET /health",
    b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nA: ",
    b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{",
    b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{",
)


def send(port, method, path, body=None):
    """Send one request; return the status, the JSON of the answer and its Retry-After."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.getheader("Retry-After")
    finally:
        connection.close()


def send_webhooks(port, numbers, *, n_threads=8):
    """Send one webhook for each number; return the answers."""
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(lambda n: send(port, "POST", "/webhook", event([box(20)], number=n)), numbers))


def open_half(port, number):
    """Open connections that send a half of a request each."""
    held = []
    for index in range(number):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(HALF[index % len(HALF)])
        held.append(connection)
    return held


def send_until_kept(port, numbers, *, n_threads=8):
    """Send one webhook for each number, and those that are not stored yet again, until all are."""
    waiting = list(numbers)
    while waiting:
        answers = send_webhooks(port, waiting, n_threads=n_threads)
        assert {status for status, *_ in answers} <= {200, 201, 503}
        waiting = [n for n, (status, *_) in zip(waiting, answers, strict=True) if status == 503]


def wait_until(is_true):
    """Wait until a function returns True."""
    while not is_true():
        time.sleep(0.05)
