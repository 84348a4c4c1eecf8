"""Secrets in text: each place where other projects leaked one, and sentences that hold none."""

import base64
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.redaction.text import redact_string, redact_text, redact_user

S = "S3cr3tV4lue"
FOUND = {
    f"http://user:{S}@host/p": "http://***@host/p",
    f"http://{S}@host/p": "http://***@host/p",
    # "@", ":", "/" and "#" in a password
    f"http://user:p@{S}@host:80/x?y=1": "http://***@host:80/x?y=1",
    f"http://user:a:{S}@host": "http://***@host",
    f"http://user:pa/{S}@host/x": "http://***@host/x",
    f"http://user:#{S}@host": "http://***@host",
    f"postgresql+psycopg://u:pa/{S}?x#@host/db": "postgresql+psycopg://***@host/db",
    f"see //user:{S}@host/x": "see //***@host/x",
    f"http:\\/\\/user:{S}@host": "http:\\/\\/***@host",
    f"https%3A%2F%2Fuser%3A{S}%40host%2Fp": "https%3A%2F%2F***%40host%2Fp",
    f"https%253A%252F%252Fuser%253A{S}%2540host": "https%253A%252F%252F***%2540host",
    f"the proxy user:{S}@proxy:3128 refused": "the proxy ***@proxy:3128 refused",
    # parameters
    f"https://h/a.png?X-Amz-Date=1&X-Amz-Signature={S}&a=1": "https://h/a.png?X-Amz-Date=1&X-Amz-Signature=***&a=1",
    f"https://h/a?sv=1&sig={S}%3D&se=2": "https://h/a?sv=1&sig=***&se=2",
    f"https://h/a?x=1;token={S}": "https://h/a?x=1;token=***",
    f"https://h/a?token=a;{S};b": "https://h/a?token=***",
    f"https://h/a#access_token={S}": "https://h/a#access_token=***",
    f"https://h/a?to%6Ben={S}": "https://h/a?to%6Ben=***",
    f"https://h/?u=https%3A%2F%2Fg%2F%3Ftoken%3D{S}%26a%3D1": "https://h/?u=https%3A%2F%2Fg%2F%3Ftoken%3D***%26a%3D1",
    f"host/db?password%3D{S}": "host/db?password%3D***",
    f"postgresql://host/db?password={S}&sslmode=require": "postgresql://host/db?password=***&sslmode=require",
    # headers
    f"Authorization: Bearer {S}": "Authorization: ***",
    f"authorization: Token {S} was refused": "authorization: *** was refused",
    f"Authorization: Digest username=a, response={S}": "Authorization: ***",
    f"Cookie: sessionid=a; other={S}": "Cookie: ***",
    f"X-Api-Key: {S}": "X-Api-Key: ***",
    f"[(b'Authorization', b'Bearer {S}')]": "[(b'Authorization', b'***')]",
    f"Invalid port: '{S}'": "Invalid port: ***",
    f"Port could not be cast to integer value as '{S}'": "Port could not be cast to integer value as ***",
    f"x-goog-signature={S}": "x-goog-signature=***",
    f"RIS_DESCRIBER_KEY={S}": "RIS_DESCRIBER_KEY=***",
    f"Authorization: Custom {S}": "Authorization: ***",
    f'X-Api-Key: "{S}"': 'X-Api-Key: "***"',
    f"[('Cookie', 'a={S}')]": "[('Cookie', '***')]",
    f'{{"api key": "{S}", "a": 1': '{"api key": "***", "a": 1',
    f"curl -H 'Bearer {S}'": "curl -H 'Bearer ***'",
    "Basic " + base64.b64encode(f"user:{S}".encode()).decode(): "Basic ***",
    # fields and variables
    f"input_value={{'client_secret': '{S}', 'x': 1}}": "input_value={'client_secret': '***', 'x': 1}",
    f'{{"password": "a\\"{S}", "a": 1}}': '{"password": "***", "a": 1}',
    f'"{{\\"token\\": \\"{S}\\"}}"': '"{\\"token\\": \\"***\\"}"',
    f'{{"token": "{S}': '{"token": "***',
    f"password='a {S}' host=x": "password='***' host=x",
    f"AccountName=a;AccountKey={S}==;EndpointSuffix=core": "AccountName=a;AccountKey=***;EndpointSuffix=core",
    f"RIS_BASIC_AUTH_PASSWORD={S}": "RIS_BASIC_AUTH_PASSWORD=***",
    f"password: {S}": "password: ***",
    # tokens that are known by their shape
    f"got eyJhbGciOiJI.{S}.abc": "got ***",
    f"got ghp_{S * 3}": "got ***",
    f"-----BEGIN RSA PRIVATE KEY-----\n{S}\n-----END RSA PRIVATE KEY-----": "***",
}  # fmt: skip
KEPT = [
    "the token on the board", "key", "the password: it must be long", "Basic shapes", "Token ring",
    "the bearer carrying water", "https://cdn/npm/pkg@1.2/x.png", "https://host:8080/a@2x.png?v=3",
    "http://[::1]:80/a@b", "see https://host and mail bob@x.org", "s3://bucket/key@2x.png", "a = b",
    'check RIS_LABEL_STUDIO_API_KEY: {"detail":"Invalid token."}', "tokens=12", "max_new_tokens: 96",
    "Label Studio does not take RIS_LABEL_STUDIO_API_KEY (401): make a new one", "the token: red",
    "data:image/png;base64,AAAA=", "git@github.com:x/y", "https://h/a?key=images/a.png&page=2",
    "a cookie, brown", "the cookie: brown", "at 12:30 bob@x.org", "mailto:bob@x.org", "secret: the garden",
    "set PGPASSWORD, which takes it as it is, or write its @ as %40, its / as %2F", "postgresql:///path",
    "/tasks/1/resolve/?fileuri=czM6Ly9idWNrZXQva2V5", '<Text name="token" value="$token"/>',
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), FOUND.items())
def test_the_secret_is_replaced_and_the_rest_stays(text, shown):
    assert redact_text(text) == shown


@pytest.mark.parametrize("text", KEPT)
def test_a_text_without_a_secret_stays(text):
    assert redact_text(text) == text


SECRETS = st.text(string.ascii_letters + string.digits, min_size=8, max_size=24).map("Q0".__add__)
WORDS = st.text(string.ascii_lowercase + " ", max_size=20)
PLACES = st.sampled_from(
    [
        "https://u:{}@h/a", "https://{}@h/a", "https://h/a?sig={}", "https://h/?X-Goog-Signature={}&b=c",
        "https://h/?a=b&access_token={}", "Authorization: Token {}", "X-Api-Key: {}", '{{"jwt": "{}"}}',
        "{{'private_key': '{}'}}", "client_secret={}", "https%3A%2F%2Fu%3A{}%40h", "Cookie: a={}",
    ]
)  # fmt: skip


@given(SECRETS, st.lists(st.tuples(WORDS, PLACES, WORDS), min_size=1, max_size=3))
def test_no_place_shows_its_secret_and_twice_is_once(secret, parts):
    text = " ".join(f"{before} {place.format(secret)} {after}" for before, place, after in parts)

    shown = redact_text(text)

    assert secret not in shown
    assert redact_text(shown) == shown


@given(st.text())
def test_any_text_can_be_redacted_and_twice_is_once(text):
    shown = redact_text(text)

    assert redact_text(shown) == shown


@given(st.text(string.ascii_letters + " .,'!?-", max_size=200))
def test_a_sentence_stays(text):
    assert redact_string(text) == text


@given(st.text(min_size=1), st.text(string.ascii_lowercase, min_size=1))
def test_a_quoted_password_never_stays_in_an_address(password, host):
    text = f"http://user:{quote(password, safe='')}@{host}/a"

    assert redact_text(text) == f"http://***@{host}/a"


def test_the_parameters_of_an_address_stay_where_only_its_user_is_removed():
    assert redact_user(f"https://u:{S}@h/a?sig=b&token=c") == "https://***@h/a?sig=b&token=c"
    assert redact_user("https://h/a?sig=b&token=c") == "https://h/a?sig=b&token=c"
