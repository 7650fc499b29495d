"""A client in Python's standard library, from docs/protocol.md alone: signs in, watches a ticket, posts one reply, loses its
connection on purpose before the answer comes, resumes, sends the same key again, and ends when it has seen its reply come back.

    python3 client.py http://127.0.0.1:8080 acme ana@acme.test demo [ticket-id]

With TRACE=1 in the environment it shows every frame.
"""
import base64, json, os, socket, struct, sys, time, urllib.parse, urllib.request, uuid


def trace(way, frame):
    if os.environ.get("TRACE"):
        print(way, frame)


def rest(url, body=None, token=""):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, body and json.dumps(body).encode(), headers), timeout=10) as answer:
        return json.load(answer)


class WebSocket:  # RFC 6455, as far as text frames go
    def __init__(self, base):
        at, key = urllib.parse.urlsplit(base), base64.b64encode(os.urandom(16)).decode()
        self.socket = socket.create_connection((at.hostname, at.port or 80), timeout=60)
        self.file = self.socket.makefile("rb")
        self.socket.sendall((f"GET /ws HTTP/1.1\r\nHost: {at.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: {key}\r\n"
                             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tandem.v1.json\r\n\r\n").encode())
        if b" 101 " not in self.file.readline():
            raise ConnectionError("no WebSocket there")
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def send(self, data, opcode=0x1):  # clients mask what they send
        mask, n = os.urandom(4), len(data)
        length = bytes([0x80 | n]) if n < 126 else struct.pack("!BH", 0xFE, n) if n < 65536 else struct.pack("!BQ", 0xFF, n)
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def exactly(self, n):
        data = self.file.read(n)
        if len(data) < n:
            raise ConnectionError("the connection ended")
        return data

    def receive(self):  # the next message; pings are answered on the way
        message = b""
        while True:
            first, n = self.exactly(2)
            data = self.exactly({126: lambda: struct.unpack("!H", self.exactly(2))[0], 127: lambda: struct.unpack("!Q", self.exactly(8))[0]}.get(n, lambda: n)())
            if first & 0xF == 0x8:
                raise ConnectionError(f"the hub closed with {struct.unpack('!H', data[:2])[0] if data else 'no code'}")
            if first & 0xF == 0x9:
                self.send(data, 0xA)
            elif first & 0xF < 0x3:
                message += data
                if first & 0x80:
                    trace("←", message.decode())
                    return json.loads(message)


def connection(base, token, topic, my):  # one connection; `my` is what outlives it
    ws, my["id"] = WebSocket(base), 0

    def ask(type, **fields):
        my["id"] += 1
        frame = json.dumps({"type": type, "id": my["id"]} | fields)
        ws.send(frame.encode())
        trace("→", frame)

    def see(event):
        my["seq"] = event["seq"]
        print(f"{event['seq']:>5} {event['at']} {event['by']['name']}: {event['event']['type']} {event['event'].get('body', '')[:60]!r}")
        my["seen"] |= event.get("key") == my["reply"]["key"]

    ask("hello", protocol=1, token=token, client={"name": "example", "version": "1"})
    while not (my["seen"] and my["acked"]):
        frame = ws.receive()
        if frame["type"] == "welcome":
            ask("subscribe", topic=topic, **({"after": my["seq"], "stream": my["stream"]} if my["stream"] else {}))
        elif frame["type"] == "subscribed":  # what came after `after`, or everything anew
            print("-- from the start" if frame.get("reset") else f"-- what came after {my['seq']}")
            for event in frame["snapshot"]["events"] if frame.get("reset") else frame["events"]:
                see(event)
            my["seq"], my["stream"] = frame["seq"], frame["stream"]
            my["reply"].setdefault("based_on", my["seq"])
            if not my["acked"]:  # unanswered: the same key again, with the same content
                ask("post_reply", **my["reply"])
            if not my["cut"]:
                my["cut"] = True
                time.sleep(0.3)  # the hub has the reply by now; what gets lost is its answer
                ws.socket.shutdown(socket.SHUT_RDWR)
                raise ConnectionError("the network failed, on purpose")
        elif frame["type"] == "event":
            see(frame)
        elif frame["type"] == "ack":
            my["acked"] = True
            print(f"-- acked as event {frame['seq']}")
        elif frame["type"] == "error":
            print(f"-- {frame['code']}: {frame['message']}")
            if frame["code"] == "stale":  # read what came in between, then again
                my["reply"]["based_on"] = max([my["seq"]] + [event["seq"] for event in frame["detail"].get("events", [])])
            elif frame["code"] not in ("busy", "rate_limited", "unavailable"):
                sys.exit("refused for good")
            time.sleep(frame.get("retry_after_ms", 0) / 1000)
            ask("post_reply", **my["reply"])


def main(base, workspace, email, password, ticket=None):
    me = rest(f"{base}/api/v1/sessions", {"workspace": workspace, "email": email, "password": password, "grant": "token"})
    ticket = ticket or rest(f"{base}/api/v1/tickets?limit=1", token=me["token"])["tickets"][0]["id"]
    topic = ("thread:" if me["user"]["role"] == "customer" else "ticket:") + ticket
    reply = {"key": str(uuid.uuid4()), "ticket_id": ticket, "body": "Hello from a stranger's client.", "audience": "public"}
    my = {"seq": 0, "stream": None, "reply": reply, "seen": False, "acked": False, "cut": False}
    while not (my["seen"] and my["acked"]):
        try:
            connection(base, me["token"], topic, my)
        except OSError as error:
            print(f"-- {error}; coming back")
            time.sleep(0.3)
    print("-- seen and acked: done")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) in (5, 6) else sys.exit(__doc__)
