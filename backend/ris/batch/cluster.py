"""Engine of workers on a Ray cluster, by Ray Data. Needs the extra `ray`.

Ray Data reads the manifest, gives each block to an actor that fetches its images, then to an actor with
networks, which writes the shard. It holds back what comes faster than it is used, makes more actors while
there is work and room, and gives the blocks of a lost node to others. Three things are ours, because Ray
Data does not do them:

* An image that kills its worker would be tried without end, or fail its block: `batch.guard` runs it in a
  process of its own, and `batch.marks` counts what not even that process survives.
* A call that hangs would hold its actor for ever: `batch.guard` has a time limit.
* A file that Ray Data writes can be half there, or be there twice: `batch.shard` writes it whole or not at
  all, under a name that depends on its tasks alone.
"""

import logging
import os
import pickle
import re
import socket
from collections.abc import Iterator
from typing import Any

from ris.batch.cluster_stages import FetchStage, LabelStage, read_manifest_rows
from ris.batch.engine import FetcherMaker, FinishedShard, LabellerMaker
from ris.batch.guard import DEFAULT_LIMIT_S, MAX_WORKER_LOSSES
from ris.batch.manifest import list_manifest_files
from ris.batch.run_folder import RunFolder
from ris.core.extras import require_extra
from ris.errors import BackendError, SettingsError

# One CPU for one worker with the actor that fetches for it, and a part of the reading.
_LABEL_CPUS, _FETCH_CPUS, _READ_CPUS = 0.75, 0.2, 0.05
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ERROR_LINE = re.compile(r"[\w.]+(Error|Exception|Interrupt|Exit): ")
_BLOCKS_AHEAD = 2  # of an actor: it need not wait for the next one, and little is lost with it


class RayEngine:
    """Two pools of actors of Ray Data: one fetches images, one has networks.

    Args:
        make_fetcher: makes the function that fetches images, in an actor's process.
        make_labeller: makes the function that runs the networks.
        count: the largest number of actors with networks; those that the cluster has no room for wait.
        address: address of the cluster, as of `ray.init`; None starts a new one on this machine.
        min_count: the smallest number of them.
        gpus: GPUs of each of them; a fraction shares one.
        limit_s: the longest time for fetching an image, and for the networks on it, in seconds.

    Raises:
        SettingsError: Ray is not installed, or the cluster does not answer.
    """

    def __init__(
        self,
        make_fetcher: FetcherMaker,
        make_labeller: LabellerMaker,
        count: int,
        *,
        address: str | None,
        min_count: int = 1,
        gpus: float = 0,
        limit_s: float = DEFAULT_LIMIT_S,
    ) -> None:
        require_extra("ray", "ray", "--engine ray")
        self.make_fetcher, self.make_labeller = make_fetcher, make_labeller
        self.count, self.min_count = count, min(min_count, count)
        self.gpus, self.limit_s = gpus, limit_s
        _connect(address)

    def run(self, folder: RunFolder) -> Iterator[FinishedShard]:
        """Process the blocks; see `Engine.run`. All nodes need the folder of the run under the same path.

        Raises:
            BackendError: a worker cannot make its labeller, or cannot write.
            SettingsError: the cluster failed.
        """
        import ray

        try:
            for row in self._make_dataset(folder).iter_batches(batch_size=1, prefetch_batches=0):
                outcome = pickle.loads(row["outcome"][0])
                if isinstance(outcome, BackendError):
                    raise outcome
                yield outcome
        except ray.exceptions.RayError as error:
            raise SettingsError(
                f"the Ray cluster failed: {_describe_ray_error(error)}; every node needs this package, the "
                "folder of --work and, in the same RIS_MODELS_FOLDER, the preset's networks; the settings "
                "come with the command"
            ) from error

    def _make_dataset(self, folder: RunFolder) -> Any:
        import ray.data

        # Not `read_parquet`: it lists files in a task that asks for a whole CPU, which actors may have taken.
        files = [{"path": str(path)} for path in list_manifest_files(folder.manifest)]
        manifest = ray.data.from_items(files, override_num_blocks=len(files))
        # Two files at a time: each is read as its blocks are taken.
        reading = ray.data.TaskPoolStrategy(size=2)
        blocks = manifest.flat_map(read_manifest_rows, num_cpus=_READ_CPUS, compute=reading)
        fetched = blocks.map_batches(
            FetchStage,
            fn_constructor_args=(self.make_fetcher, self.limit_s),
            batch_size=1,
            num_cpus=_FETCH_CPUS,
            compute=_make_pool(1, self.count),
        )
        return fetched.map_batches(
            LabelStage,
            fn_constructor_args=(self.make_labeller, self.limit_s, folder.shards, folder.marks),
            batch_size=1,
            num_cpus=_LABEL_CPUS,
            num_gpus=self.gpus or None,
            compute=_make_pool(self.min_count, self.count),
        )


def _make_pool(min_size: int, max_size: int) -> Any:
    from ray.data import ActorPoolStrategy

    return ActorPoolStrategy(
        min_size=min_size, max_size=max_size, max_tasks_in_flight_per_actor=_BLOCKS_AHEAD
    )


def _connect(address: str | None) -> None:
    import ray
    import ray.data

    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # of the driver: losses of actors are expected
    _check_address(address)
    try:
        ray.init(
            address=address or "local",  # without one Ray would join a cluster that it finds on this machine
            ignore_reinit_error=True,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SettingsError(
            f"the Ray cluster at {address} does not answer: {error}; check --address"
        ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_consecutive_actor_init_deaths = MAX_WORKER_LOSSES  # a node can be lost while one starts
    context.target_max_block_size = 1  # a row is a block: the unit that is fetched, retried and counted
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _describe_ray_error(error: BaseException) -> str:
    """Return the line of a report of Ray that names the error in a worker; else its first line."""
    lines = [line.strip() for line in _COLOURS.sub("", str(error)).splitlines() if line.strip()]
    named = [line for line in lines if _ERROR_LINE.match(line) and not line.startswith("ray.exceptions")]
    return (named or lines or [type(error).__name__])[0]


def _check_address(address: str | None) -> None:
    """Check that the address accepts connections, because Ray itself tries for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise SettingsError(
            f"the Ray cluster at {address} does not answer: {error}; check --address"
        ) from error
