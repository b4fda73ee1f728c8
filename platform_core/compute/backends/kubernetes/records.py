"""What is known of one attempt, and what follows from what is heard of its pods. No network here.

One attempt is one pod. When somebody takes that pod away, older clusters start another one in its place; it would run
the step a second time under the same attempt. So the Job goes too, and the executor decides on another attempt.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from platform_core.compute.attempts import Change, Ending, Order
from platform_core.compute.backends.kubernetes.explain import Look, Pod, has_started, is_leaving, look_at, lost

UNCONFIRMED = 60.0  # seconds beyond its grace in which a machine has to confirm the end of a pod


@dataclass(frozen=True)
class Tell:
    """There is news."""

    change: Change


@dataclass(frozen=True)
class Remove:
    """The Job has to go, with all its pods; `lost` is the pod that somebody took away, if one was."""

    lost: Pod | None = None


@dataclass(frozen=True)
class Conclude:
    """The attempt ended; `pod` is where its log is."""

    ending: Ending
    pod: Pod | None = None


Deed = Tell | Remove | Conclude


@dataclass
class Record:
    """An attempt that was launched. Times are of one monotonic clock, in seconds."""

    order: Order
    namespace: str
    since: float
    due: float | None = None  # when to create its Job; None while that is under way, and after it
    tried: bool = False  # a call to create it was made
    created: bool = False  # its Job exists, existed, or may do so
    refusals: int = 0
    over: bool = False
    removed: bool = False  # its Job is on its way out, and `pods` are all that is left of it
    leaving: Ending | None = None  # how it ends once everything of it is gone
    leaving_since: float = 0.0
    pods: dict[str, Pod] = field(default_factory=dict)  # those that may still do something, by uid
    last: Pod | None = None
    look: Look = field(default_factory=Look)
    look_since: float = 0.0
    told: tuple[str, str] = ("", "")

    @property
    def id(self) -> str:
        return self.order.attempt.id

    def see(self, pod: Pod, now: float) -> list[Deed]:
        """A pod of this attempt exists, in this state."""
        if self.over:
            return []
        self.created, self.last = True, pod
        look = look_at(pod, self.order.compute)
        if look.ending is not None:
            return self._ended(look.ending, pod, now)
        self.pods[pod["metadata"]["uid"]] = pod
        if is_leaving(pod) and self.leaving is None:
            return self.leave(lost(pod), now, pod)
        return self.consider(look, now)

    def lose(self, pod: Pod, now: float) -> list[Deed]:
        """A pod of this attempt no longer exists; this is the last that is known of it."""
        known = self.pods.pop(pod["metadata"]["uid"], None)
        if self.over or known is None:
            return []
        ending = look_at(pod, self.order.compute).ending
        if ending is not None:
            return self._ended(ending, pod, now)
        return self.leave(lost(known), now, known) if self.leaving is None else self._gone()

    def keep_only(self, uids: Iterable[str], now: float) -> list[Deed]:
        """A list of all pods there are has only these."""
        present = set(uids)
        missing = [pod for uid, pod in self.pods.items() if uid not in present]
        return [deed for pod in missing for deed in self.lose(pod, now)]

    def leave(self, ending: Ending, now: float, pod: Pod | None = None) -> list[Deed]:
        """It is to end like this, as soon as nothing of it is left."""
        if self.over or self.leaving is not None:
            return []
        self.leaving, self.leaving_since = ending, now
        return [Remove(pod)]

    def taken_away(self, pod: Pod, why: str) -> None:
        """Somebody removed its pod, for this reason."""
        if self.leaving is not None and self.leaving.kind == "vanished" and why:
            self.leaving = lost(pod, why)

    def has_left(self, pods: Iterable[Pod], now: float) -> list[Deed]:
        """Its Job was removed, and these are all the pods that it still has."""
        if self.over:
            return []
        self.removed, self.pods = True, {}
        deeds = [deed for pod in pods for deed in self.see(pod, now)]
        return deeds if self.over else [*deeds, *self._gone()]

    def consider(self, look: Look, now: float) -> list[Deed]:
        """Its pod, or its Job, shows this."""
        if self.over or self.leaving is not None:
            return []
        if look.patience != self.look.patience:
            self.look_since = now
        if look.sentence and self.look.sentence.startswith(look.sentence):
            look = self.look  # it said more before
        self.look = look
        if look.patience == "none":
            return self.leave(Ending("refused", look.sentence), now)
        return self._tell("running" if look.runs else "waiting", look.sentence)

    def check_patience(self, start: float, now: float) -> list[Deed]:
        """Ends what has looked misconfigured for `start` seconds, and what no machine confirms to have ended."""
        if self.over:
            return []
        if self.leaving is not None:
            return self._give_up(now)
        if self.look.patience == "start" and now - self.look_since >= start:
            return self.leave(Ending("refused", _sentence(self.look.sentence)), now)
        return []

    def cancel(self, now: float) -> list[Deed]:
        ending = Ending("cancelled", "Cancelled.")
        return self.leave(ending, now) if self.tried else self.conclude(ending)

    def stop(self, ending: Ending, now: float) -> list[Deed]:
        """It cannot go on; what may exist of it goes first."""
        return self.leave(ending, now) if self.created else self.conclude(self.leaving or ending)

    def admit(self, now: float) -> list[Deed]:
        """Its Job may be created."""
        if not self.tried:
            self.due = now
        return []

    def exists(self, now: float) -> list[Deed]:
        """Its Job exists."""
        self.created, self.since = True, now
        return []

    def begin(self, now: float) -> bool:
        """Whether to create its Job now, which is under way from here on."""
        if self.over or self.due is None or self.due > now:
            return False
        if self.leaving is not None:
            self.due, self.created = None, True  # an earlier call may have succeeded unheard: what removes it finds out
            return False
        self.due, self.tried = None, True
        return True

    def postpone(self, look: Look, now: float) -> list[Deed]:
        """Its Job could not be created for now, for all that is known."""
        if self.leaving is not None:
            self.created = True  # for all that is known it may be: what removes it finds out
            return []
        self.due = now + min(30.0, 0.5 * 2 ** min(self.refusals, 10))
        self.refusals += 1
        return self.consider(look, now)

    def conclude(self, ending: Ending) -> list[Deed]:
        if self.over:
            return []
        self.over = True
        return [Conclude(ending, self.last)]

    def _ended(self, ending: Ending, pod: Pod, now: float) -> list[Deed]:
        self.pods.pop(pod["metadata"]["uid"], None)
        if ending.kind == "finished":
            return self.conclude(ending)
        if self.leaving is not None:
            return self._gone()
        # A pod that is being deleted may be replaced: then the Job has to go before anybody starts another attempt.
        return self.leave(ending, now, pod) if is_leaving(pod) else self.conclude(ending)

    def _gone(self) -> list[Deed]:
        if self.leaving is None or not self.removed or any(self._matters(pod) for pod in self.pods.values()):
            return []
        return self.conclude(self.leaving)

    def _matters(self, pod: Pod) -> bool:
        """Whether to wait for its end: one that never started may take a minute, which only a next attempt needs."""
        return has_started(pod) or self.leaving is None or self.leaving.kind == "vanished"

    def _give_up(self, now: float) -> list[Deed]:
        if self.leaving is None or not self.pods or now - self.leaving_since < self._grace + UNCONFIRMED:
            return []
        machine = next(iter(self.pods.values())).get("spec", {}).get("nodeName", "its machine")
        said = f"{self.leaving.sentence} The machine {machine} does not confirm that its process has ended."
        return self.conclude(Ending(self.leaving.kind, said.strip()))

    @property
    def _grace(self) -> float:
        return float(max(pod["spec"].get("terminationGracePeriodSeconds", 30) for pod in self.pods.values()))

    def _tell(self, state: Literal["waiting", "running"], sentence: str) -> list[Deed]:
        news = (state, _sentence(sentence))
        if news == self.told or (state == "waiting" and (self.told[0] == "running" or not sentence)):
            return []
        self.told = news
        return [Tell(Change(self.order.attempt, state, news[1]))]


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."
