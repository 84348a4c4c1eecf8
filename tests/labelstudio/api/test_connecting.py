"""Connecting a project of a fake Label Studio that refuses what the real one refuses."""

import pytest

from ris.errors import InputError, LabelConfigError, LabelStudioError
from ris.label_config import read
from ris.labelstudio.api.connecting import MLBackend, connect_project, create_project, make_webhook_token
from ris.service.webhook_access import ProjectTokens

OURS = MLBackend("http://127.0.0.1:9090")
GUARDED = MLBackend("http://127.0.0.1:9090", "ris", "open")


class Studio:
    """Projects, backends and webhooks.

    `blocks` refuses private addresses; `half_blocks` refuses them and connects all the same.
    """

    def __init__(self, config="pick_brush.xml", **project):
        self.projects = {
            3: {"id": 3, "label_config": read(config), "show_collab_predictions": True, **project}
        }
        self.lists = {"/api/ml": {}, "/api/webhooks": {}}
        self.blocks = self.half_blocks = False
        self.changes = []

    def call(self, method, path, body=None, **params):
        if method != "GET":
            self.changes.append((method, path))
        if path.startswith("/api/projects"):
            return self._project(method, path, body)
        name, _, number = path.rstrip("/").removeprefix("/api/").partition("/")
        kept = self.lists[f"/api/{name}"]
        if method == "GET":
            return [one for one in kept.values() if one["project"] == params["project"]]
        if method == "DELETE":
            return kept.pop(int(number)) and None
        if method == "PATCH":
            kept[int(number)] |= body
            return kept[int(number)]
        return self._add(name, kept, body)

    def _project(self, method, path, body):
        if method == "POST":
            self.projects[4] = {"id": 4, "show_collab_predictions": True, **body}
            return self.projects[4]
        number = int(path.rsplit("/", 1)[1])
        if number not in self.projects:
            raise LabelStudioError(f"Label Studio answered 404 to {method} {path}: Not found.")
        if method == "PATCH":
            self.projects[number] |= body
        return self.projects[number]

    def _add(self, name, kept, body):
        if name == "ml" and self.blocks:
            raise LabelStudioError("Label Studio answered 403 to POST /api/ml: private address")
        if name == "webhooks" and "." not in body["url"].split("//")[1].split("/")[0]:
            raise LabelStudioError("Label Studio answered 400 to POST /api/webhooks/: Enter a valid URL.")
        number = max(kept, default=0) + 1
        kept[number] = {"id": number, **body}
        if name == "ml" and self.half_blocks:
            raise LabelStudioError("Label Studio answered 403 to POST /api/ml: private address")
        return kept[number]

    def hooks(self):
        return list(self.lists["/api/webhooks"].values())


@pytest.fixture
def tokens(database):
    return ProjectTokens(database, "open")


def get_token(studio):
    return studio.hooks()[0]["headers"]["Authorization"].removeprefix("Bearer ")


def outcomes(studio, backend=OURS, **more):
    return {step.name: step.outcome for step in connect_project(studio, 3, backend, **more)}


def test_a_fresh_project_gets_the_backend_and_the_webhook():
    studio = Studio()

    assert outcomes(studio) == {
        "label config": "fits: brushlabels 'mask', presentation pick", "ML backend": "connected",
        "webhook": "created", "predictions": "shown to annotators",
        "model version": "now the live backend's, before none",
    }  # fmt: skip
    (hook,) = studio.hooks()
    assert (hook["url"], hook["send_payload"], hook["send_for_all_actions"], hook["headers"]) == (
        "http://127.0.0.1:9090/webhook", True, True, {},
    )  # fmt: skip


def test_a_second_time_nothing_is_added(tokens):
    studio = Studio()
    connect_project(studio, 3, GUARDED, tokens=tokens)
    before = [dict(kept) for kept in studio.lists.values()]

    again = outcomes(studio, GUARDED, tokens=tokens)

    assert (again["ML backend"], again["webhook"]) == ("connected already", "exists already")
    assert [dict(kept) for kept in studio.lists.values()] == before


def test_another_model_version_gives_way_to_the_live_backend():
    studio = Studio(model_version="yesterday's")

    assert outcomes(studio)["model version"].endswith("before yesterday's")
    assert studio.projects[3]["model_version"] == "ris"
    assert outcomes(studio)["model version"] == "the live backend's"


def test_the_password_goes_to_the_backend_and_a_random_token_to_the_webhook(tokens):
    studio = Studio()
    connect_project(studio, 3, GUARDED, tokens=tokens)

    (backend,) = studio.lists["/api/ml"].values()
    assert (backend["auth_method"], backend["basic_auth_user"], backend["basic_auth_pass"]) == (
        "BASIC_AUTH", "ris", "open",
    )  # fmt: skip
    assert studio.hooks()[0]["headers"].keys() == {"Authorization"}
    assert tokens.is_current(3, get_token(studio))
    assert len(get_token(studio)) == 43
    assert not tokens.is_computed(get_token(studio))
    assert "open" not in str(studio.hooks()[0])


def test_a_webhook_that_lacks_something_is_mended(tokens):
    studio = Studio()
    connect_project(studio, 3, GUARDED, tokens=tokens)
    studio.hooks()[0].update(is_active=False, headers={})

    assert outcomes(studio, GUARDED, tokens=tokens)["webhook"] == "repaired: is_active, headers"
    assert studio.hooks()[0]["is_active"]


def test_doubles_are_removed():
    studio = Studio()
    for _ in range(3):
        studio.call("POST", "/api/ml", {"url": "http://127.0.0.1:9090/", "project": 3})
        studio.call("POST", "/api/webhooks/", {"url": "http://127.0.0.1:9090/webhook", "project": 3})

    assert outcomes(studio)["ML backend"] == "connected already, 2 duplicates of it removed"
    assert (len(studio.lists["/api/ml"]), len(studio.hooks())) == (1, 1)


def test_a_label_config_is_set_when_one_is_given_and_differs():
    studio = Studio("tabs_brush.xml")

    assert outcomes(studio, label_config=read("pick_polygon.xml"))["label config"] == (
        "set: polygonlabels 'mask', presentation pick"
    )
    assert studio.projects[3]["label_config"] == read("pick_polygon.xml")
    assert outcomes(studio, label_config=read("pick_polygon.xml"))["label config"].startswith("fits")


def test_a_label_config_without_a_place_for_a_mask_is_told_before_anything_is_changed():
    studio = Studio()
    studio.projects[3]["label_config"] = "<View/>"

    with pytest.raises(LabelConfigError, match="has no <Image"):
        connect_project(studio, 3, OURS)
    assert studio.changes == []


def test_a_label_studio_that_blocks_private_addresses_is_told_how_not_to():
    studio = Studio()
    studio.blocks = True

    with pytest.raises(LabelStudioError, match="ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false"):
        connect_project(studio, 3, OURS)


def test_a_refusal_that_connects_all_the_same_still_gets_its_webhook():
    studio = Studio()
    studio.half_blocks = True

    assert outcomes(studio)["webhook"] == "created"
    assert len(studio.lists["/api/ml"]) == 1


def test_a_name_without_a_dot_is_told():
    with pytest.raises(LabelStudioError, match="needs an address with a dot"):
        connect_project(Studio(), 3, MLBackend("http://ris:9090"))


def test_predictions_that_were_hidden_are_shown():
    studio = Studio(show_collab_predictions=False)

    assert outcomes(studio)["predictions"] == "now shown to annotators"
    assert studio.projects[3]["show_collab_predictions"]


def test_a_project_can_be_made():
    studio = Studio()

    number = create_project(studio, "My mugs", read("pick_brush.xml"))

    assert (number, studio.projects[4]["title"]) == (4, "My mugs")
    with pytest.raises(LabelConfigError):
        create_project(studio, "My mugs", "<View/>")


def test_a_project_that_is_not_there_is_told():
    with pytest.raises(LabelStudioError, match="404"):
        connect_project(Studio(), 99, OURS)


@pytest.mark.parametrize(
    "url",
    [
        "http://0.0.0.0:9090", "https://0.0.0.0", "http://[::]:9090", "http://[0:0:0:0:0:0:0:0]:9090",
        "http://[::ffff:0.0.0.0]:9090", "http://0:9090", "http://0x0:9090", "http://0.0:9090", "http://[[::]]:9090",
        "ris.local:9090", "http://", "http://:9090", "",
    ],
)  # fmt: skip
def test_an_address_that_nobody_can_call_says_what_to_set(url):
    with pytest.raises(InputError, match="set RIS_PUBLIC_URL to an address that it can call, or give"):
        MLBackend(url)


def test_an_address_of_ours_holds_no_password():
    with pytest.raises(InputError, match="RIS_BASIC_AUTH_PASSWORD") as caught:
        MLBackend("http://ris:very-secret@ris.local:9090")
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://10.0.0.0:9090", "http://[::1]:9090", "https://ris.example.org/ris"])
def test_an_address_that_can_be_called_is_taken(url):
    assert MLBackend(url).url == url


def test_a_token_can_be_renewed_and_the_old_one_ends(tokens):
    studio = Studio()
    connect_project(studio, 3, GUARDED, tokens=tokens)
    old = get_token(studio)

    assert outcomes(studio, GUARDED, tokens=tokens)["webhook"] == "exists already"
    assert get_token(studio) == old
    renewed = outcomes(studio, GUARDED, tokens=tokens, renews_token=True)["webhook"]
    assert renewed == "repaired: headers, its token is new"
    assert tokens.is_current(3, get_token(studio))
    assert not tokens.is_current(3, old)


def test_a_computed_token_of_an_earlier_version_is_replaced(tokens):
    studio = Studio()
    connect_project(studio, 3, GUARDED, tokens=tokens)
    studio.hooks()[0]["headers"] = {"Authorization": f"Bearer {make_webhook_token('open')}"}

    assert outcomes(studio, GUARDED, tokens=tokens)["webhook"] == "repaired: headers"
    assert tokens.is_current(3, get_token(studio))
