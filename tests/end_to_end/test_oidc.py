"""Login at an OpenID provider, which is Authlib's in a process of its own; httpx is the browser."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from aquila.testing.served import Serve, ServedNode

ADDRESSES = (f"127.0.2.{number}" for number in itertools.count(1))
"""Each browser has an address of its own: a node hears ten tries a minute from one."""
HERE = Path(__file__).parent
WAIT_S = 60
"""For whatever does come: a busy machine is no finding."""
RULES = """
[[people]]
group = "watch"
role = "operator"
groups = ["COMMON", "S3"]
nation = "ITA"
"""
PERSONS = {
    "ann": {"sub": "1", "preferred_username": "Ann", "groups": ["everybody", "watch"]},
    "imposter": {"sub": "2", "preferred_username": "ann", "groups": ["watch"]},
    "eve": {"sub": "3", "preferred_username": "eve", "groups": ["everybody"]},
    "boss": {"sub": "4", "preferred_username": "operator", "groups": ["watch"]},
    "mail": {"sub": "5", "preferred_username": "<b>@x.example", "groups": ["watch"]},
    "nameless": {"sub": "6", "groups": ["watch"]},
}
WRONG = {
    **dict.fromkeys(["nonce", "expired", "too early", "audience", "party", "issuer", "forged"], "does not hold"),
    **dict.fromkeys(["alg none", "public key as secret", "PS256"], "allowed: RS256, ES256"),
    "unknown key": "a key that it does not show",
}
"""What is wrong with an id token, and what the person is told."""


class Provider:
    """The test provider, with its settings in a file that may be changed while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "provider.json"
        self.settings: dict[str, Any] = {"client": "aquila", "secret": "a b&c:%", "persons": PERSONS, "fault": None}
        self.write()
        command = [sys.executable, str(HERE / "oidc_provider.py"), str(self.path)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def write(self, **changed: Any) -> None:
        self.settings |= changed
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.settings))
        new.rename(self.path)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def node_settings(self, **more: Any) -> str:
        secret = self.folder / "secret"
        secret.write_text(self.settings["secret"] + "\n")
        plain = {
            "oidc_issuer": self.url,
            "oidc_client": "aquila",
            "oidc_name": "Brigade <1>",
            "login_timeout_s": WAIT_S,
        }
        if self.settings["secret"]:
            plain["oidc_secret_file"] = str(secret)
        path = self.folder / "aquila.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in (plain | more).items()) + RULES)
        return str(path)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    made = Provider(tmp_path)
    yield made
    made.stop()


class Browser(httpx.Client):
    """A browser at one node. It follows no redirect by itself, so that each step can be looked at."""

    def __init__(self, node: ServedNode) -> None:
        url = f"http://127.0.0.1:{node.ports['http']}"
        super().__init__(base_url=url, transport=httpx.HTTPTransport(local_address=next(ADDRESSES)), timeout=WAIT_S)

    def way_back(self, person: str) -> str:
        """Begin at the node, log in at the provider; gives the URL to which it sends the browser back."""
        begun = self.get("/login/oidc")
        assert begun.status_code == 303, begun.text
        answer = httpx.post(begun.headers["location"], data={"person": person}, timeout=WAIT_S)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def log_in(self, person: str) -> httpx.Response:
        return self.get(self.way_back(person))

    def me(self) -> httpx.Response:
        return self.get("/api/v1/me")


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServedNode, Provider]]:
    """A node and the provider that it relies on."""
    folder = tmp_path_factory.mktemp("asking")
    provider = Provider(folder)
    node = ServedNode(folder / "data", "--config", provider.node_settings())
    try:
        yield node.start(), provider
    finally:
        node.stop()
        provider.stop()


@pytest.fixture
def browser(asking: tuple[ServedNode, Provider]) -> Iterator[Browser]:
    asking[1].write(fault=None)
    with Browser(asking[0]) as made:
        yield made


def refused(answer: httpx.Response, status: int, sentence: str) -> bool:
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, False), answer.text
    assert sentence in answer.text, answer.text
    return True


def test_the_whole_way_from_the_button_to_the_picture(browser: Browser) -> None:
    page = browser.get("/login").text
    assert '<a href="/login/oidc">Log in with Brigade &lt;1&gt;</a>' in page
    begun = browser.get("/login/oidc")
    asked = {key: values[0] for key, values in parse_qs(urlsplit(begun.headers["location"]).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", "aquila")
    assert len(asked["state"]) > 40
    assert len(asked["nonce"]) > 40
    assert "SameSite=Lax" in begun.headers["set-cookie"]
    answer = browser.log_in("ann")
    # A redirect would arrive without the strict cookie; the page goes on by itself.
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/"' in answer.text
    cookie = {part.strip() for part in answer.headers["set-cookie"].split(";")}
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= cookie
    me = browser.me().json()["principal"]
    assert (me["id"], me["roles"], me["nation"], me["groups_in"]) == (
        "person:ann",
        ["operator"],
        "ITA",
        ["COMMON", "S3"],
    )


def test_who_proves_to_be_nobody_that_may_is_told_why(browser: Browser) -> None:
    assert refused(browser.log_in("eve"), 403, "none of your groups may log in here")
    assert refused(browser.log_in("boss"), 403, "is a user of this node itself")
    assert refused(browser.log_in("mail"), 403, "&lt;b&gt;@x.example")
    assert refused(browser.log_in("nameless"), 401, "does not say your preferred_username")
    assert browser.log_in("ann").status_code == 200
    assert refused(browser.log_in("imposter"), 403, "Another person")


def test_what_did_not_begin_here_or_was_used_already_is_refused(browser: Browser) -> None:
    back = browser.way_back("ann")
    wrong = back.replace("state=", "state=x")
    assert refused(browser.get(wrong), 401, "did not begin here")
    with httpx.Client(timeout=WAIT_S) as other:
        assert refused(other.get(back), 401, "began in another browser")
    # The other browser's try has used it up.
    assert refused(browser.get(back), 401, "was used already")
    back = browser.way_back("ann")
    assert browser.get(back).status_code == 200
    assert refused(browser.get(back), 401, "was used already")
    code = parse_qs(urlsplit(back).query)["code"][0]
    fresh = browser.way_back("ann")
    replayed = fresh.replace(parse_qs(urlsplit(fresh).query)["code"][0], code)
    assert refused(browser.get(replayed), 401, "does not take this login")
    assert refused(browser.get("/login/oidc/callback"), 401, "did not begin here")
    denied = browser.way_back("ann").replace("code=", "error=access_denied&was=")
    assert refused(browser.get(denied), 401, "did not let you in")


@pytest.mark.parametrize("fault", WRONG)
def test_an_id_token_with_anything_wrong_lets_nobody_in(
    asking: tuple[ServedNode, Provider], browser: Browser, fault: str
) -> None:
    asking[1].write(fault=fault)
    assert refused(browser.log_in("ann"), 401, WRONG[fault])
    assert browser.me().status_code == 401


def test_tokens_by_the_other_algorithm_are_good(asking: tuple[ServedNode, Provider], browser: Browser) -> None:
    asking[1].write(fault="no fault: ES256")
    assert browser.log_in("ann").status_code == 200


def test_a_public_client_logs_in_by_pkce_alone(serve: Serve, provider: Provider) -> None:
    provider.write(secret="")
    with Browser(serve("data", "--config", provider.node_settings())) as browser:
        assert browser.log_in("ann").status_code == 200


@pytest.mark.parametrize("change", [{"fault": "moved"}, {"calls_itself": "https://other.example"}])
def test_a_provider_that_sends_elsewhere_or_is_another_is_not_believed(
    serve: Serve, provider: Provider, change: dict[str, str]
) -> None:
    with Browser(serve("data", "--config", provider.node_settings())) as browser:
        provider.write(**change)
        answer = browser.get("/login/oidc") if "calls_itself" in change else browser.log_in("ann")
        assert refused(answer, 503, "The OpenID provider gives no answer")


def test_without_the_provider_the_page_says_so_and_links_of_the_node_work(serve: Serve, provider: Provider) -> None:
    node = serve("data", "--config", provider.node_settings())
    provider.stop()
    with Browser(node) as browser:
        assert refused(browser.get("/login/oidc"), 503, "The OpenID provider gives no answer")
        key = parse_qs(urlsplit(node.link()).query)["key"][0]
        assert browser.get("/login", params={"key": key}).status_code == 303


def test_a_node_without_a_provider_shows_no_button(serve: Serve) -> None:
    with Browser(serve()) as browser:
        assert "/login/oidc" not in browser.get("/login").text
        assert browser.get("/login/oidc").status_code == 404
        assert browser.get("/login/oidc/callback").status_code == 404
