"""A fake Label Studio behind https with its own certificate authority, over real connections."""

import datetime
import ssl

import pytest
import trustme
from typer.testing import CliRunner

from ris.cli import root_app
from ris.doctor.label_studio import check_label_studio
from ris.errors import ImageUnreachable, LabelStudioError, UntrustedError
from ris.labelstudio.api.certificates import BUNDLE_VARIABLES
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.fetching import ImageSource
from ris.store.session import upgrade_database
from tests.labelstudio.studio import LEGACY, PNG, FakeStudio, jwt

NOT_TRUSTED = (
    r"does not answer: its certificate is not trusted \(.*\): set REQUESTS_CA_BUNDLE to a file \(PEM\) "
    "with the certificate of its authority"
)
KEYS = [LEGACY, jwt("refresh", 10_000)]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def studio_of(authority, *names, **more):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("localhost",)), **more).configure_cert(tls)
    return FakeStudio(tls=tls)


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in BUNDLE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def studio(authority):
    studio = studio_of(authority)
    yield studio
    studio.shutdown()
    studio.server_close()


@pytest.fixture
def bundle(authority, tmp_path):
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.mark.parametrize("key", KEYS, ids=["legacy", "personal"])
@pytest.mark.parametrize("name", BUNDLE_VARIABLES)
def test_an_authority_in_any_of_the_variables_is_trusted_for_calls_tokens_and_pictures(
    studio, bundle, monkeypatch, name, key
):
    monkeypatch.setenv(name, str(bundle))
    client = LabelStudioClient(studio.url, key)

    assert client.call("GET", "/api/version")["release"] == "1.23.2"
    assert client.read_server_time() is not None
    assert ImageSource(client).fetch("/data/upload/1/a.png", 17) == PNG


@pytest.mark.parametrize("key", KEYS, ids=["legacy", "personal"])
def test_without_it_every_call_says_what_to_set(studio, key):
    client = LabelStudioClient(studio.url, key)

    for call in (
        lambda: client.call("GET", "/api/version"),
        lambda: client.exists("/api/x"),
        lambda: client.upload(1, "a.png", PNG),
        client.read_server_time,
    ):
        with pytest.raises(UntrustedError, match=f"^Label Studio at {studio.url} {NOT_TRUSTED}$"):
            call()
    with pytest.raises(ImageUnreachable, match=NOT_TRUSTED):
        ImageSource(client).fetch("/data/upload/1/a.png", 17)
    assert studio.asked == []


def test_a_bundle_that_is_renewed_is_read_again(studio, authority, bundle, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    client = LabelStudioClient(studio.url, LEGACY)
    trustme.CA().cert_pem.write_to_path(bundle)
    with pytest.raises(UntrustedError):
        client.call("GET", "/api/version")

    authority.cert_pem.write_to_path(bundle)

    assert client.call("GET", "/api/version")["release"] == "1.23.2"


@pytest.mark.parametrize(
    "command",
    [
        "connect --project 1",
        "connect --create Mugs",
        "sync --project 1",
        "tidy --project 1",
        "prelabel --project 1 --push",
        "import captions.csv --project 1",
        "import captions.csv --create Mugs",
    ],
)
def test_every_command_that_talks_to_label_studio_says_so(studio, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path}/ris.db")
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", studio.url)
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", LEGACY)
    upgrade_database(f"sqlite:///{tmp_path}/ris.db")
    (tmp_path / "captions.csv").write_text("image,expression\na.png,the owl\n")

    ran = CliRunner().invoke(root_app, command.split())

    assert isinstance(ran.exception, UntrustedError)


def test_doctor_says_so_and_does_not_ask_whether_it_runs(studio):
    (check,) = check_label_studio(
        LabelStudioClient(studio.url, LEGACY), LEGACY, datetime.datetime.now(datetime.UTC)
    )

    assert not check.is_ok
    assert "set REQUESTS_CA_BUNDLE" in check.message
    assert "that it runs" not in check.message


def test_a_certificate_that_has_ended_or_is_of_another_host_says_that(authority, bundle, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    for studio, message in (
        (
            studio_of(authority, not_before=past, not_after=past + datetime.timedelta(1)),
            "its certificate has expired",
        ),
        (studio_of(authority, "labels.example.com"), "its certificate is of another host"),
    ):
        with pytest.raises(UntrustedError, match=message):
            LabelStudioClient(studio.url, None).call("GET", "/api/version")
        studio.shutdown()


def test_https_where_there_is_none_says_so():
    plain = FakeStudio()

    with pytest.raises(LabelStudioError, match="it speaks no https there, http:// may be meant"):
        LabelStudioClient(plain.url.replace("http:", "https:"), None).call("GET", "/api/version")
    plain.shutdown()


@pytest.mark.parametrize("key", KEYS, ids=["legacy", "personal"])
def test_a_bundle_that_is_none_is_a_sentence(studio, tmp_path, monkeypatch, key):
    (tmp_path / "no.pem").write_text("no certificate")
    for path, message in (
        (tmp_path / "gone.pem", "gone.pem, which is not there"),
        (tmp_path / "no.pem", "no.pem is no"),
    ):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        with pytest.raises(LabelStudioError, match=message):
            LabelStudioClient(studio.url, key).call("GET", "/api/version")
