"""Addresses: no URL reaches into our own network, however it is written."""

import ipaddress

import pytest

from dispatch.channels.addresses import AddressError, Allowed, Url, UrlError, checked, is_public, parse, resolve


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.8.9.1", "0.1.2.3", "0.0.0.0",  # noqa: S104 - nothing is bound
        "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.5", "224.0.0.1", "224.0.1.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "192.0.0.9", "192.0.0.10", "192.88.99.1", "192.31.196.1",
        "192.52.193.1", "192.175.48.1", "168.63.129.16", "::ffff:192.88.99.1", "3fff::1", "3ffe::1",
        "2620:4f:8000::1", "2001:1::1", "2001:20::1", "2001:4:112::1", "2002:7f00:1::", "2001:0:7f00:1::", "100::1",
    ],
)  # fmt: skip
def test_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "192.0.1.1", "2001:200::1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]
)
def test_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "", "hook", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/",
        "javascript:alert(1)", "http://", "http:///x", "https://:443/", "http://user@example.org/",
        "http://user:pass@example.org/", "http://@example.org/", "http://example.org:0/", "http://example.org:65536/",
        "http://example.org:x/", "http://example.org:-1/", "http://[::1/", "http://exa mple.org/",
        "http://example.org/\r\nHost: x", "http://example.org/\x00", "http://例子.中国/", "http://example.org/路",
        "http://example.org\\@10.0.0.1/", "http://[fe80::1%25eth0]/", "http://example.org/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_no_url(url: str) -> None:
    with pytest.raises(UrlError):
        parse(url)


@pytest.mark.parametrize(
    ("url", "parts", "authority"),
    [
        ("http://example.org", Url(False, "example.org", 80, "/"), "example.org"),
        ("https://Example.org/a/b?c=d#e", Url(True, "example.org", 443, "/a/b?c=d"), "example.org"),
        ("https://example.org:8443/", Url(True, "example.org", 8443, "/"), "example.org:8443"),
        ("http://example.org:443/", Url(False, "example.org", 443, "/"), "example.org:443"),
        ("http://[2606:4700::1]:81/x", Url(False, "2606:4700::1", 81, "/x"), "[2606:4700::1]:81"),
    ],
)
def test_url(url: str, parts: Url, authority: str) -> None:
    assert parse(url) == parts
    assert parse(url).authority == authority


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0", "localhost", "::1"])
def test_however_our_own_machine_is_written(host: str) -> None:
    """The system's resolver takes all of these; what it makes of them is what is checked."""
    with pytest.raises(AddressError, match="not public"):
        checked(host, 80, (), resolve)


@pytest.mark.parametrize(
    "addresses", [["10.0.0.7"], ["8.8.8.8", "10.0.0.7"], ["fe80::1%eth0"], ["::ffff:192.168.0.1"], ["8.8.8.8", "::1"]]
)
def test_a_name_that_leads_inside(addresses: list[str]) -> None:
    with pytest.raises(AddressError, match=r"inside\.example"):
        checked("inside.example", 443, (), lambda *_: addresses)


def test_what_is_allowed_nevertheless() -> None:
    allowed = [Allowed.of("10.1.0.0/16"), Allowed.of("::1/128")]
    for text in ("10.1.2.3", "::1", "::ffff:10.1.2.3"):
        assert checked("x", 80, allowed, lambda *_, text=text: [text]) == [ipaddress.ip_address(text)]
    for text in ("10.2.2.3", "::2", "127.0.0.1"):
        with pytest.raises(AddressError):
            checked("x", 80, allowed, lambda *_, text=text: [text])


def test_no_address_at_all() -> None:
    with pytest.raises(OSError, match="no address"):
        checked("x", 80, (), lambda *_: [])


def test_what_is_allowed_on_one_port() -> None:
    allowed = [Allowed.of("10.0.0.5/32:22"), Allowed.of("fd00::/8:8443"), Allowed.of("8.8.8.8")]
    for text, port in (("10.0.0.5", 22), ("fd00::1", 8443), ("8.8.8.8", 25)):
        assert checked("x", port, allowed, lambda *_, text=text: [text])
    for text, port in (("10.0.0.5", 8443), ("10.0.0.5", 80), ("10.0.0.6", 22), ("fd00::1", 443)):
        with pytest.raises(AddressError):
            checked("x", port, allowed, lambda *_, text=text: [text])


@pytest.mark.parametrize(
    "text", ["", "local", "10.0.0.5:80", "10.0.0.5/32:", "10.0.0.5/32:0", "10.0.0.5/32:65536", "10.0.0.5/8", "::1:80/x"]
)
def test_nothing_that_could_be_allowed(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whichever part
        Allowed.of(text)


@pytest.mark.parametrize(
    ("port", "may"), [(80, True), (443, True), (1024, True), (65535, True), (22, False), (25, False), (1023, False)]
)
def test_ports_of_the_public_internet(port: int, may: bool) -> None:
    if may:
        assert checked("x", port, (), lambda *_: ["8.8.8.8"])
        return
    with pytest.raises(AddressError):
        checked("x", port, (), lambda *_: ["8.8.8.8"])
