"""The Kubernetes backend: each attempt is a Job with one pod."""

import logging
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Lock
from time import monotonic
from typing import ClassVar

from platform_core.compute.attempts import Attempt, Change, Ending, Order
from platform_core.compute.backends.backend import Backend, Leftover, require
from platform_core.compute.backends.kubernetes.api import Api, ApiError, Cluster
from platform_core.compute.backends.kubernetes.chores import Chores, Patience
from platform_core.compute.backends.kubernetes.explain import Pod, has_started, last_words
from platform_core.compute.backends.kubernetes.launching import Launcher, refusal, refuse, unanswered
from platform_core.compute.backends.kubernetes.ledger import Ledger
from platform_core.compute.backends.kubernetes.manifest import CONTAINER, Defaults, run_selector
from platform_core.compute.backends.kubernetes.records import Record
from platform_core.compute.backends.kubernetes.sweeping import sweep
from platform_core.compute.backends.kubernetes.watching import Key, PodWatch
from platform_core.compute.profiles import Profile
from platform_core.compute.quantities import as_seconds
from platform_core.compute.spec import BackendName
from platform_core.errors import HeadraceError

_log = logging.getLogger(__name__)

_THREADS = 8
_CLOSE_SECONDS = 10.0


class KubernetesBackend(Backend):
    """Starts each attempt as a Job, and watches its pod.

    Args:
        image: what steps run with that name no image themselves.
        namespace: the Kubernetes namespace of the Jobs; a profile may name another.
        service_account: whose rights steps have.
        kubeconfig, context: where the cluster is. By default the cluster that this process runs in, or `KUBECONFIG`.
        python: the interpreter in the image.
        grace: between the request to end and the end by force.
        keep: how long ended Jobs stay when the run worker is not there to remove them.
        start_patience: how long to wait for an image, a secret or a permission that is missing.
        placement_patience: how long to wait for a machine before asking whether there could be one.
    """

    name: ClassVar[BackendName] = "kubernetes"

    def __init__(
        self,
        image: str = "",
        *,
        namespace: str = "default",
        service_account: str = "",
        kubeconfig: str = "",
        context: str = "",
        python: str = "python",
        grace: str = "30s",
        keep: str = "1h",
        start_patience: str = "1min",
        placement_patience: str = "15min",
    ) -> None:
        super().__init__()
        require("kubernetes", self.name)
        self._namespace = namespace
        self._cluster = Cluster(kubeconfig, context)
        self._defaults = Defaults(image, python, service_account, int(as_seconds(grace)), int(as_seconds(keep)))
        patience = Patience(as_seconds(start_patience), as_seconds(placement_patience))
        self._ledger = Ledger(lambda: self.wake(), self._conclude, lambda: self._chores.nudge())
        self._chores = Chores(self._ledger, patience, self._create)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="headrace-kubernetes")
        self._opening = Lock()
        self._api: Api | None = None
        self._launcher: Launcher | None = None
        self._watches: dict[Key, PodWatch] = {}
        self._asked: set[Key] = set()

    @property
    def calls(self) -> int:
        """How often the API was called so far."""
        return 0 if self._api is None else self._api.calls

    @property
    def tries_images(self) -> bool:
        """Those that assets name: the deployment's own is that of nearly all steps, and a pod takes seconds."""
        return True

    def sweep(self, now: float, profiles: Iterable[Profile] = (), *, dry_run: bool = False) -> Sequence[Leftover]:
        try:
            api = Api(self._cluster.connect())
        except ApiError as error:
            raise HeadraceError(f"No Kubernetes can be asked for old Jobs: {error}.") from error
        places = {str(profile.options.get("namespace") or self._namespace) for profile in profiles}
        return sweep(api, sorted({self._namespace, *places}), now, dry_run=dry_run)

    def launch(self, orders: Sequence[Order]) -> None:
        for order in orders:
            record = Record(order, self._key(order)[0], monotonic())
            if self._ledger.add(record):
                self._admit(record)

    def changes(self) -> Sequence[Change]:
        news = self._ledger.take_news()
        for change in news:
            record = self._ledger.find(change.attempt.id) if change.state == "ended" else None
            if record is not None:
                self._chores.clean_up(record)
        return news

    def terminate(self, attempts: Collection[Attempt]) -> None:
        for attempt in attempts:
            record = self._ledger.find(attempt.id)
            if record is not None:
                self._ledger.update(record, record.cancel)

    def close(self) -> None:
        # What ended and was not told stays: whoever resumes the run has to find it.
        for watch in list(self._watches.values()):
            watch.stop()
        self._chores.stop(_CLOSE_SECONDS)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def pods_listed(self, watch: PodWatch, pods: Sequence[Pod]) -> None:
        """Called by a watch that starts anew: these are all the pods there are."""
        uids = {pod["metadata"]["uid"] for pod in pods}
        for pod in pods:
            self._ledger.see(pod)
        for record in self._ledger.choose(lambda record: self._key(record.order) == watch.key):
            self._ledger.update(record, partial(record.keep_only, uids))
            self._ledger.update(record, record.admit)
        self._create_due()

    def pod_changed(self, pod: Pod) -> None:
        self._ledger.see(pod)

    def pod_gone(self, pod: Pod) -> None:
        self._ledger.lose(pod)

    def watch_broke(self, watch: PodWatch, error: ApiError) -> None:
        """Called by a watch that tries again by itself: until its first success nothing can be started."""
        _log.info("The watch over the pods in the namespace '%s' broke: %s", watch.namespace, error)
        if not watch.listed and error.is_final:
            self._give_up(watch.key, error)
            watch.give_up()
        elif not watch.listed:
            self._tell_waiting(watch.key, error)

    def _admit(self, record: Record) -> None:
        """Its Job is created once the watch sees the pods: then no news of it can be missed."""
        key = self._key(record.order)
        with self._opening:
            watch, new = self._watches.get(key), key not in self._asked
            self._asked.add(key)
        if watch is not None and watch.listed:
            self._ledger.update(record, record.admit)
            self._create_due()
        elif new:
            self._pool.submit(self._open, key)

    def _open(self, key: Key) -> None:
        """Connects at the first launch, and watches the pods of a run."""
        try:
            with self._opening:
                api = self._api = self._api or self._connect()
                self._watches[key] = PodWatch(api, key, run_selector(key[1]), self)
                self._watches[key].start()
        except ApiError as error:
            self._give_up(key, error)

    def _connect(self) -> Api:
        api = Api(self._cluster.connect())
        self._launcher = Launcher(api, self._ledger, self._defaults)
        self._chores.start(api)
        return api

    def _give_up(self, key: Key, error: ApiError) -> None:
        """Refuses what waits for a watch. The next launch tries again."""
        with self._opening:
            self._asked.discard(key)
            self._watches.pop(key, None)
        for record in self._ledger.choose(lambda record: self._key(record.order) == key):
            refuse(self._ledger, record, refusal(error, key[0]))

    def _tell_waiting(self, key: Key, error: ApiError) -> None:
        for record in self._ledger.choose(lambda record: self._key(record.order) == key):
            self._ledger.update(record, partial(record.consider, unanswered(error)))

    def _create_due(self) -> None:
        for record in self._ledger.begin(monotonic()):
            self._create(record)

    def _create(self, record: Record) -> None:
        assert self._launcher is not None, "a watch has to be open before anything is created"
        self._pool.submit(self._launcher.launch, record)

    def _conclude(self, record: Record, ending: Ending, pod: Pod | None) -> None:
        """Tells of an ending, together with the last lines of the log where they may say why."""
        if pod is None or ending.kind in ("finished", "cancelled", "refused") or not has_started(pod):
            self._tell(record, ending)
        else:
            self._pool.submit(self._tell_with_log, record, ending, pod)

    def _tell_with_log(self, record: Record, ending: Ending, pod: Pod) -> None:
        assert self._api is not None, "a pod was seen through it"
        try:
            log = self._api.log(record.namespace, pod["metadata"]["name"], CONTAINER) or last_words(pod)
        except ApiError:  # its pod or its machine is gone
            log = last_words(pod)
        self._tell(record, replace(ending, log=log))

    def _tell(self, record: Record, ending: Ending) -> None:
        self._ledger.tell(Change(record.order.attempt, "ended", ending.sentence, ending))

    def _key(self, order: Order) -> Key:
        return str(order.profile.options.get("namespace") or self._namespace), order.attempt.run_id
