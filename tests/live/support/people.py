"""Several people in a real Label Studio, what they answer, and `ris` beside it."""

from typer.testing import CliRunner

from ris import label_config
from ris.cli import root_app
from ris.core import rle
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import make_regions
from tests.live.support.studio import DEMO_TOKEN

BRUSH = label_config.read("tabs_brush.xml")
_CONTROLS = read_controls(BRUSH)


def add_person(client, name):
    """A further user; the id."""
    return client.call("POST", "/api/users/", {"email": f"{name}@example.com", "username": name})["id"]


def answer(project, task, mask, person=None):
    """Submit a mask, or an empty answer, as a person; None: as the owner of the key. The annotation's id."""
    result = [] if mask is None else make_regions(rle.encode_rle(mask), _CONTROLS, "drawn")
    return project.annotate(task, result, **({} if person is None else {"completed_by": person}))


def make_runner(studio, server):
    """A function that runs `ris` beside this Label Studio and server, and returns what was printed."""

    def run(*arguments):
        env = {
            "RIS_LABEL_STUDIO_URL": studio.url, "RIS_LABEL_STUDIO_API_KEY": DEMO_TOKEN,
            "RIS_DATABASE_URL": server.database_url, "RIS_PUBLIC_URL": server.url,
        }  # fmt: skip
        ran = CliRunner().invoke(root_app, [*arguments], env=env)
        assert ran.exit_code == 0, ran.output or ran.exception
        return ran.stdout

    return run
