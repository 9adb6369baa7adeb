"""Which proxy leads where: NO_PROXY in every form that platforms write."""

import pytest

from coldsend_operator.proxies import proxies_of

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("no_proxy", "url", "straight"),
    [
        ("", "https://api.example.com/", False),
        ("*", "https://api.example.com/", True),
        ("api.example.com", "https://api.example.com/", True),
        ("API.Example.com", "https://api.example.com:8443/", True),
        ("api.example.com.", "https://api.example.com/", True),
        ("example.com", "https://api.example.com/", True),
        ("example.com", "https://badexample.com/", False),
        (".example.com", "https://api.example.com/", True),
        ("*.example.com", "https://api.example.com/", True),
        (".svc,.cluster.local", "https://kubernetes.default.svc/", True),
        ("api.example.com:443", "https://api.example.com/", True),
        ("api.example.com:8443", "https://api.example.com/", False),
        ("10.0.0.1", "https://10.0.0.1:6443/", True),
        ("10.0.0.1:6443", "https://10.0.0.1:6443/", True),
        ("10.0.0.1:443", "https://10.0.0.1:6443/", False),
        ("10.0.0.0/8", "https://10.96.0.1:443/", True),
        ("10.0.0.0/8", "https://11.0.0.1/", False),
        ("10.96.0.1/12", "https://10.97.0.1/", True),
        ("::1", "https://[::1]:6443/", True),
        ("[::1]", "https://[::1]:6443/", True),
        ("[::1]:6443", "https://[::1]:6443/", True),
        ("[::1]:443", "https://[::1]:6443/", False),
        ("fd01::/48", "https://[fd01::1]:443/", True),
        ("[fd01::]/48", "https://[fd01::1]:443/", False),
        ("fd01::/48", "https://[fd02::1]:443/", False),
        ("fe80::1%eth0", "https://[fe80::1]/", True),
        (" a.example , 10.0.0.0/8\tb.example ", "https://b.example/", True),
        ("0.1", "https://10.0.0.1/", False),
        ("[::1],fd01::/48,10.0.0.0/8", "https://api.example.com/", False),
    ],
)
def test_no_proxy_in_every_form(no_proxy: str, url: str, straight: bool) -> None:
    assert (proxies_of({"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy}).to(url) is None) is straight


def test_entries_that_mean_nothing_are_ignored_and_named() -> None:
    read = proxies_of({"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/99,*foo*,http://x,a.example:http,10.0.0.0/8"})
    assert read.ignored == tuple(("NO_PROXY", text) for text in ("10.0.0.0/99", "*foo*", "http://x", "a.example:http"))
    assert read.to("https://10.0.0.1") is None


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": "http://lower.example:1", "HTTPS_PROXY": PROXY}, "http://lower.example:1"),
        ({"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        ({"HTTP_PROXY": PROXY}, None),
        ({"ALL_PROXY": PROXY}, None),
        ({"HTTPS_PROXY": "http://[proxy"}, None),
        ({"HTTPS_PROXY": "socks5://proxy.example:1080"}, None),
    ],
)
def test_the_variable_of_the_scheme_names_the_proxy(environment: dict[str, str], proxy: str | None) -> None:
    assert proxies_of(environment).to("https://api.example.com") == proxy


def test_all_proxy_counts_where_it_is_asked_for() -> None:
    read = proxies_of({"ALL_PROXY": PROXY})
    assert read.to("https://api.example.com", any_scheme=True) == PROXY


def test_a_proxy_that_cannot_be_used_is_named() -> None:
    assert proxies_of({"ALL_PROXY": "socks5://a:1"}).ignored == (("ALL_PROXY", "socks5://a:1"),)
