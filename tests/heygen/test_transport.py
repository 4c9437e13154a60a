"""One attempt against servers that misbehave: a typed error, in time, with bounded memory, without the key."""

from __future__ import annotations

import datetime
import gzip
import io
import logging
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import heygen
from heygen import ApiError, Client
from heygen.transport import BODY_LIMIT, Secret
from tests.fakes import CREATED
from tests.heygen.dialects import in_dialect
from tests.heygen.server import CLOSE, KEY, Server, answer

SESSION = {"session_id": "s", "status": "thinking", "created_at": CREATED}
OK = answer({"data": SESSION})
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"


def hurried(server: Server, seconds: float = 0.5) -> Client:
    return Client(base_url=server.url, key=KEY, read_deadline=seconds, write_deadline=seconds)


def raised(call: Callable[[], object]) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value


# ------------------------------------------------------------------- deadlines


@pytest.mark.parametrize(
    "drip",
    [
        pytest.param((b"", b""), id="nothing at all"),
        pytest.param((b"", b"H"), id="a status line that never ends"),
        pytest.param((b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), id="headers, one by one"),
        pytest.param((b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"), id="a header, byte by byte"),
        pytest.param((b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="interim answers for ever"),
        pytest.param((HEAD, b" "), id="a body, byte by byte"),
        pytest.param(
            (HEAD.replace(b"Content-Length: 1000000", b"Transfer-Encoding: chunked"), b"1\r\n \r\n"),
            id="chunks",
        ),
    ],
)
def test_a_slow_server_is_left_at_the_deadline(server: Server, drip: tuple[bytes, bytes]) -> None:
    server.reply(server.drip(*drip))
    started = time.monotonic()

    found = raised(lambda: hurried(server).read_session("s"))

    # A hundred headers are the most that are read: that is an error before the deadline.
    assert type(found) is heygen.NoAnswer
    assert found.code in {"timeout", "cut_off"}
    assert 0.4 < time.monotonic() - started < 3


def test_the_deadline_is_for_the_whole_call(server: Server) -> None:
    """Each wait is shorter than the deadline; together they are longer."""

    def pieces() -> Iterator[bytes]:
        for piece in (OK[:20], OK[20:60], OK[60:-10], OK[-10:]):
            time.sleep(0.3)
            yield piece

    server.reply(pieces)

    assert type(raised(lambda: hurried(server, 0.8).read_session("s"))) is heygen.NoAnswer


def test_a_slow_answer_within_the_deadline_is_an_answer(server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        for piece in (OK[:20], OK[20:60], OK[60:-10], OK[-10:]):
            time.sleep(0.1)
            yield piece

    server.reply(pieces)

    assert hurried(server, 5).read_session("s").session_id == "s"


def test_reads_and_writes_have_their_own_deadlines(server: Server) -> None:
    server.reply(server.drip(b"", b""))
    client = Client(base_url=server.url, key=KEY, read_deadline=0.3, write_deadline=1.2)

    started = time.monotonic()
    assert type(raised(lambda: client.read_session("s"))) is heygen.NoAnswer
    middle = time.monotonic()
    assert type(raised(lambda: client.stop_session("s"))) is heygen.NoAnswer

    assert (middle - started) < 1.0 < (time.monotonic() - middle)


def test_a_server_that_does_not_read_is_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", key=KEY, write_deadline=0.5)
        started = time.monotonic()

        found = raised(lambda: client.append_text("s", "x" * 30_000_000))

    assert (type(found), found.code) == (heygen.NoAnswer, "timeout")
    assert time.monotonic() - started < 3


def test_a_deadline_closes_the_connection(server: Server) -> None:
    """Whatever arrives late must not be read as the answer to the next call."""
    server.reply(server.drip(HEAD, b" "), OK)
    client = hurried(server)

    raised(lambda: client.read_session("s"))

    assert client.read_session("s").session_id == "s"
    assert server.connections == 2


# ------------------------------------------------------------------------ size


def endless(piece: bytes) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        yield HEAD.replace(b"1000000", b"1000000000")
        for _ in range(1_000_000_000 // len(piece)):
            yield piece

    return pieces


def test_a_body_of_a_gigabyte_is_not_read(server: Server, client: Client) -> None:
    server.reply(endless(b" " * 65_536))
    tracemalloc.start()
    try:
        found = raised(lambda: client.read_session("s"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (type(found), found.status, found.code) == (heygen.BadPayload, 200, "too_large")
    assert peak < 8 * BODY_LIMIT


def test_a_gzip_bomb_is_not_inflated(server: Server, client: Client) -> None:
    bomb = gzip.compress(b" " * 300_000_000, compresslevel=9)
    server.reply(answer(bomb, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        found = raised(lambda: client.read_session("s"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (type(found), found.code) == (heygen.BadPayload, "too_large")
    assert peak < 8 * BODY_LIMIT


def test_a_body_of_exactly_the_limit_is_read(server: Server, client: Client) -> None:
    body = OK.partition(b"\r\n\r\n")[2]
    server.reply(
        answer(body + b" " * (BODY_LIMIT - len(body))), answer(body + b" " * (BODY_LIMIT + 1 - len(body)))
    )

    assert client.read_session("s").session_id == "s"
    assert raised(lambda: client.read_session("s")).code == "too_large"


def test_compressed_answers_are_read(server: Server, client: Client) -> None:
    body = gzip.compress(OK.partition(b"\r\n\r\n")[2])
    server.reply(
        answer(body, headers={"Content-Encoding": "gzip"}),
        answer(b"no gzip", headers={"Content-Encoding": "gzip"}),
    )

    assert client.read_session("s").session_id == "s"
    assert server.last.headers["accept-encoding"] == "gzip"
    found = raised(lambda: client.read_session("s"))
    assert (type(found), found.code) == (heygen.BadPayload, "undecodable")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 two hundred OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"",
    ],
)
def test_garbage_is_no_answer(server: Server, client: Client, garbage: bytes) -> None:
    server.reply(lambda: [garbage, CLOSE])

    assert type(raised(lambda: client.read_session("s"))) is heygen.NoAnswer


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b"[" * 100_000, b'{"data": 1' + b"0" * 5_000 + b"}", b"null", b"7", b'""', b"[]"],
)
def test_what_is_no_json_object_is_a_bad_payload(server: Server, client: Client, body: bytes) -> None:
    server.reply(answer(body))

    found = raised(lambda: client.read_session("s"))

    assert (type(found), found.status) == (heygen.BadPayload, 200)


def test_a_cut_body_is_no_answer_that_knows_the_status(server: Server, client: Client) -> None:
    server.reply(lambda: [answer(b'{"data"', length=100), CLOSE])

    found = raised(lambda: client.create_session(heygen.CreateSession("Hi")))

    assert (type(found), found.status, found.code) == (heygen.NoAnswer, 200, "cut_off")


# ------------------------------------------------- what proves that nothing was sent


def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = Client(base_url=f"http://127.0.0.1:{port}", key=KEY)

    found = raised(lambda: client.create_session(heygen.CreateSession("Hi")))

    assert (type(found), found.code) == (heygen.NotSent, "unreachable")
    assert found.message == "no connection to 127.0.0.1: Connection refused"


def test_an_unknown_name_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("heygen.pool.getaddrinfo", unknown)
    client = Client(base_url="https://heygen.invalid", key=KEY)

    assert type(raised(lambda: client.create_session(heygen.CreateSession("Hi")))) is heygen.NotSent


def test_the_next_address_is_tried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = listener.getsockname()[1]
    stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    addresses = [(*stream, ("127.0.0.1", dead)), (*stream, ("127.0.0.1", server.port))]
    monkeypatch.setattr("heygen.pool.getaddrinfo", lambda *_, **__: addresses)
    server.reply(OK)

    assert Client(base_url="http://two.invalid", key=KEY).read_session("s").session_id == "s"


def test_a_reset_after_sending_is_no_answer(server: Server, client: Client) -> None:
    server.reply(lambda: [CLOSE])

    found = raised(lambda: client.create_session(heygen.CreateSession("Hi")))

    assert (type(found), found.status, found.code) == (heygen.NoAnswer, None, "cut_off")
    assert len(server.received) == 1


def test_a_kept_connection_that_the_server_left_is_replaced(server: Server) -> None:
    server.reply(OK)
    client = Client(base_url=server.url, key=KEY, http=heygen.pooled_http())

    for _ in range(5):
        client.read_session("s")
    assert server.connections == 1

    server._open[0].shutdown(socket.SHUT_RDWR)
    client.read_session("s")
    assert server.connections == 2


def test_a_write_does_not_trust_a_connection_that_was_idle(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reply(OK)
    client = Client(base_url=server.url, key=KEY, http=heygen.pooled_http())

    client.stop_session("s")
    client.stop_session("s")
    assert server.connections == 1

    monkeypatch.setattr("heygen.pool.FRESH_SECONDS", 0.0)
    client.read_session("s")
    assert server.connections == 1
    client.stop_session("s")
    assert server.connections == 2


# ------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(__import__("ipaddress").ip_address("127.0.0.1"))]),
            False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server(tls=context) as found:
        yield found


def test_an_untrusted_certificate_was_not_sent(tls_server: Server) -> None:
    tls_server.reply(OK)
    client = Client(base_url=tls_server.url, key=KEY)

    found = raised(lambda: client.create_session(heygen.CreateSession("Hi")))

    assert type(found) is heygen.NotSent
    assert "certificate" in found.message.lower()
    assert tls_server.received == []


def test_tls_works_with_a_trusted_certificate(
    tls_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "heygen.pool._certificates", lambda: ssl.create_default_context(cafile=str(certificate))
    )
    tls_server.reply(OK, OK, lambda: [CLOSE])
    client = Client(base_url=tls_server.url, key=KEY, http=heygen.pooled_http())

    assert client.read_session("s").session_id == "s"
    assert client.read_session("s").session_id == "s"
    assert tls_server.connections == 1
    monkeypatch.setattr("heygen.pool.FRESH_SECONDS", 0.0)
    assert type(raised(lambda: client.stop_session("s"))) is heygen.NoAnswer
    assert tls_server.connections == 2


def test_a_handshake_that_hangs_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        client = Client(base_url=url, key=KEY, write_deadline=0.5)
        started = time.monotonic()

        found = raised(lambda: client.create_session(heygen.CreateSession("Hi")))

    assert type(found) is heygen.NotSent
    assert time.monotonic() - started < 3


def test_plain_http_on_a_tls_address_was_not_sent(server: Server) -> None:
    server.reply(OK)
    client = Client(base_url=server.url.replace("http:", "https:"), key=KEY, write_deadline=2)

    assert type(raised(lambda: client.create_session(heygen.CreateSession("Hi")))) is heygen.NotSent


# ------------------------------------------------------------- redirects, the key


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304, 300])
def test_a_redirect_is_never_followed(server: Server, client: Client, status: int) -> None:
    with Server() as elsewhere:
        elsewhere.reply(OK)
        server.reply(answer(b"x" * 100, status, {"Location": f"{elsewhere.url}/v3/users/me"}))

        for call in (lambda: client.read_session("s"), lambda: client.stop_session("s")):
            found = raised(call)
            assert (type(found), found.status, found.code) == (heygen.Refused, status, "redirect")
            assert elsewhere.url not in str(found)

        assert elsewhere.received == []


def test_a_redirect_with_an_endless_body_is_left_at_once(server: Server, client: Client) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 1000000000\r\n\r\n"
    server.reply(server.drip(head, b" " * 65_536, pause=0))

    assert raised(lambda: client.read_session("s")).code == "redirect"


def test_environment_proxies_and_netrc_are_ignored(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    server.reply(OK)

    Client(base_url=server.url, key=KEY, http=heygen.pooled_http()).read_session("s")

    assert "authorization" not in server.last.headers


def test_cookies_are_not_kept(server: Server) -> None:
    server.reply(answer({"data": SESSION}, headers={"Set-Cookie": "a=b; Path=/"}))
    client = Client(base_url=server.url, key=KEY, http=heygen.pooled_http())

    client.read_session("s")
    client.read_session("s")

    assert "cookie" not in server.last.headers


BREAKING = [
    pytest.param(lambda: [CLOSE], id="reset"),
    pytest.param(lambda: [b"garbage", CLOSE], id="garbage"),
    pytest.param(answer(b"x", 302, {"Location": "http://127.0.0.1:1/"}), id="redirect"),
    pytest.param(answer(KEY.encode(), 500), id="quoted by a 500"),
    pytest.param(answer(KEY.encode()), id="quoted by a 200"),
    pytest.param(answer({"data": KEY}), id="quoted as data"),
]


@pytest.mark.parametrize("reply", BREAKING)
def test_the_key_is_nowhere_in_an_error(
    server: Server, reply: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply(reply)
    client = Client(base_url=server.url, key=KEY)

    found = raised(lambda: client.read_session("s"))

    trace = "".join(traceback.TracebackException.from_exception(found, capture_locals=True).format())
    # This test's own frame knows the key by the name of a constant, not by its value.
    assert KEY not in trace
    assert found.__context__ is None
    assert found.__cause__ is None
    assert KEY not in repr(found) + str(vars(found))
    assert KEY not in caplog.text


def test_the_key_is_in_no_repr() -> None:
    client = Client(base_url="http://127.0.0.1:1", key=KEY)

    shown = (
        f"{client!r} {client} {vars(client)} {in_dialect(client, heygen.Dialect.SESSIONS)!r} {Secret(KEY)}"
    )

    assert KEY not in shown
    assert repr(client) == "Client('http://127.0.0.1:1', dialect='current')"


def test_a_key_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        __import__("pickle").dumps(Secret(KEY))


@pytest.mark.parametrize("key", ["", "with space", "line\nbreak", "schlüssel", "tab\t"])
def test_a_key_that_no_header_can_hold_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="printable") as caught:
        Client(base_url="http://127.0.0.1:1", key=key)
    assert key == "" or key not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["", "ftp://a", "api.heygen.com", "https://", "https://a/?x=1", "https://u:p@a"]
)
def test_a_base_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Client(base_url=address, key=KEY)


def test_a_path_in_the_base_address_is_kept(server: Server) -> None:
    server.reply(OK)

    Client(base_url=f"{server.url}/proxy/", key=KEY).read_session("s")

    assert server.last.path == "/proxy/v3/video-agents/s"


# --------------------------------------------------------------------- uploads


def test_a_file_is_streamed_as_one_part(server: Server, client: Client) -> None:
    server.data({"asset_id": "a1", "url": "https://a/b.png", "mime_type": "image/png", "size_bytes": 5})
    stream = io.BytesIO(b"skip:bytes")
    stream.seek(5)

    found = client.upload_asset(stream, 'a "quoted"\r\nname.png', "image/png", "key-1")

    assert (found.asset_id, found.mime_type, found.size_bytes) == ("a1", "image/png", 5)
    boundary = server.last.headers["content-type"].removeprefix("multipart/form-data; boundary=")
    assert (
        server.last.body
        == (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="file"; filename="a _quoted___name.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
            f"bytes\r\n--{boundary}--\r\n"
        ).encode()
    )
    assert server.last.headers["idempotency-key"] == "key-1"


def test_a_stream_that_cannot_seek_is_uploaded_too(server: Server, client: Client) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    server.data({"asset_id": "a1"})

    client.upload_asset(Pipe(b"from a pipe"), "", "nonsense")

    assert b"\r\n\r\nfrom a pipe\r\n" in server.last.body
    assert b'filename="file"\r\nContent-Type: application/octet-stream' in server.last.body


def test_a_file_that_is_too_large_is_not_sent(server: Server, client: Client) -> None:
    found = raised(lambda: client.upload_asset(io.BytesIO(b"x" * (32 * 1024 * 1024 + 1)), "a", "image/png"))

    assert (type(found), found.status, found.code, found.param) == (
        heygen.Refused,
        413,
        "payload_too_large",
        "file",
    )
    assert server.received == []


def test_a_direct_upload_does_not_carry_the_key(server: Server, client: Client) -> None:
    with Server() as storage:
        # Only the API's own address may be without TLS.
        upload = heygen.DirectUpload.from_json(
            {
                "asset_id": "a1",
                "upload_url": f"{server.url}/put?sig=1",
                "upload_headers": {"Content-Type": "video/mp4", "content-length": "9", "X-Signed": "yes"},
                "status": "pending_upload",
            }
        )
        server.reply(answer(b""))
        client.put_upload(upload, io.BytesIO(b"0123456789"), 5)

        assert (server.last.method, server.last.path, server.last.body) == ("PUT", "/put?sig=1", b"01234")
        assert server.last.headers["x-signed"] == "yes"
        assert server.last.headers["content-type"] == "video/mp4"
        assert "x-api-key" not in server.last.headers

        elsewhere = heygen.DirectUpload.from_json({**upload.raw, "upload_url": f"{storage.url}/put"})
        assert raised(lambda: client.put_upload(elsewhere, io.BytesIO(b"x"), 1)).code == "upload_url"
        assert storage.received == []


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: c"}, {"X A": "a"}, {"X-A": "ü"}])
def test_upload_headers_that_are_none_are_refused(
    server: Server, client: Client, headers: dict[str, str]
) -> None:
    upload = heygen.DirectUpload.from_json(
        {"asset_id": "a", "upload_url": f"{server.url}/put", "upload_headers": headers}
    )

    assert raised(lambda: client.put_upload(upload, io.BytesIO(b"x"), 1)).code == "upload_headers"
    assert server.received == []


def test_a_stream_that_ends_early_is_no_answer(server: Server, client: Client) -> None:
    upload = heygen.DirectUpload.from_json({"asset_id": "a", "upload_url": f"{server.url}/put"})
    server.reply(answer(b""))

    found = raised(lambda: client.put_upload(upload, io.BytesIO(b"x"), 5))

    assert (type(found), found.code) == (heygen.NoAnswer, "cut_off")


def test_transfers_have_their_own_deadline(server: Server) -> None:
    server.reply(server.drip(b"", b""))
    client = Client(base_url=server.url, key=KEY, write_deadline=30, transfer_deadline=0.3)
    upload = heygen.DirectUpload.from_json({"asset_id": "a", "upload_url": f"{server.url}/put"})

    assert raised(lambda: client.put_upload(upload, io.BytesIO(b"x"), 1)).code == "timeout"
    assert raised(lambda: client.upload_asset(io.BytesIO(b"x"), "a", "image/png")).code == "timeout"


# --------------------------------------------------------------------- threads


def test_one_client_serves_many_threads(server: Server) -> None:
    server.reply(OK)
    client = Client(base_url=server.url, key=KEY, http=heygen.pooled_http())
    found: list[str] = []

    def read() -> None:
        found.extend(client.read_session("s").session_id for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert found == ["s"] * 160
    assert server.connections <= 8
