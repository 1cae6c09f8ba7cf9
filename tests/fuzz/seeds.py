"""What inputs are made of: a well-formed example for each target, and the words of its grammar."""

from __future__ import annotations

ADDRESSES = [
    b"192.0.2.1",
    b"10.0.0.2",
    b"2001:db8::1",
    b"::ffff:10.0.0.3",
    b"[::1]",
    b":80",
    b"unknown",
    b"fe80::1%eth0",
]
HTTP = b"POST /a%20b?c=d HTTP/1.1\r\nHost: a.example\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
PART = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n'
FILE = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="f"\r\nContent-Type: text/plain\r\n\r\nx\r\n'

SEEDS: dict[str, list[bytes]] = {
    "accept": [b"gzip;q=0.5, br;q=1.0, *;q=0", b"text/html, application/json;q=0.9, */*;q=0.1"],
    "conditional": [b'W/"a", "tag"\nThu, 01 Jan 1970 00:00:00 GMT'],
    "cookies": [b'a=1; b="\\054\\"x\\\\"; __Host-c=2; __Host-c=3; d'],
    "form": [b"; charset=utf-8\n" + PART + FILE + b"--edge--\r\n"],
    "forwarded": [b"203.0.113.7, [2001:db8::1]:80, 10.0.0.2\nhttps"],
    "json_bounds": [b'{"a": [1, {"b": "\\"[,"}], "c": null}'],
    "multipart": [b"before\r\n" + PART + FILE + b"--edge--\r\nafter"],
    "parameters": [b'form-data; name="a\\"b"; filename=c; charset=utf-8', b"Name: value\r\nOther: value"],
    "ranges": [b"\x00\x64bytes=0-9, 20-29, -5, 90-"],
    "routes": [b"a/x", b"a/1.5/b", b"v1.x", b"files/a/b", b"m/x/y", b"a/1/", b"0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"],
    "server": [
        HTTP + CHUNKED + HTTP + b"Content-Length: 3\r\n\r\nabc",
        HTTP + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na",
        b"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
        HTTP + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ],
    "session": [b"eyJhIjogMX0=.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"],
    "urlencoded": [b"a=1&b=%C3%BC+x&c&&=d&%ff=%"],
    "urls": [b"example.com:8080\na/b?c\nd=e#f", b"[::1]:80\n/evil.example\n"],
}
WORDS: dict[str, list[bytes]] = {
    "accept": [b"gzip", b"br", b"*", b"*/*", b"text/html", b"text/*", b"application/json", b";q=", b"0", b"1.0", b",", b"nan"],
    "conditional": [b'"', b"W/", b'"tag"', b"*", b",", b"\n", b"Thu", b" 01", b" Jan", b" 1970", b" 00:00:00", b" -0000"],
    "cookies": [b"=", b";", b" ", b'"', b"\\", b"\\054", b"__Host-", b"a", b"\xff"],
    "form": [PART, FILE, b"--edge", b"--", b"\r\n", b"\n", b"; charset=", b"punycode", b"utf-16", b"undefined", b"x" * 600],
    "forwarded": [*ADDRESSES, b",", b" ", b"\n", b"https", b"http"],
    "json_bounds": [b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"1", b'"a"', b"\xff"],
    "multipart": [PART, FILE, b"--edge", b"--", b"\r\n", b"\r", b"\n", b"edge", b": ", b"a", b"a" * 300, b"\t"],
    "parameters": [b'"', b"\\", b";", b"=", b" ", b"name", b"filename*", b"\r\n", b":", b"application/json", b"\t"],
    "ranges": [b"\x00\x10", b"bytes", b"=", b"-", b",", b" ", b"0", b"7", b"99", b"9" * 5000, b"\xb2"],
    "routes": [b"/", b"a", b"b", b"v", b"1", b".", b"-", b"%2F", b"%0A", b"files", b"end", b"m", b"\\", b"9" * 5000, b"{x}"],
    "server": [
        HTTP, CHUNKED, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n", b"Host: b\r\n", b"Content-Length: 5\r\n", b"0", b"5",
        b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\nConnection: upgrade\r\n", b"a" * 9000, b"\xff",
    ],
    "session": [b"eyJhIjogMX0=", b".", b'"', b"\\", b"a", b"-", b"_", b"\xff"],
    "urlencoded": [b"a", b"=", b"&", b"+", b"%", b"%41", b"%ff", b";", b"\xff", b"#", b"\xc3\xbc"],
    "urls": [b"\n", b"/", b"?", b"#", b"@", b":", b"80", b"[", b"]", b"::1", b"v1.a", b"%41", b"\\", b"a", b"\xff", b"\xc3\xbc"],
}  # fmt: skip
