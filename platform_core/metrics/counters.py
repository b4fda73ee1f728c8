"""What is counted of runs, steps and checks while a server of metrics lives."""

from prometheus_client import CollectorRegistry, Counter, Histogram

SHORT = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
LONG = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)


class Counters:
    """The counters of a registry, each at zero until something happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"headrace_{name}", text, labels, registry=registry)

        def seconds(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"headrace_{name}_seconds", text, labels, buckets=buckets, registry=registry)

        self.runs = counter("runs_ended", "Runs that ended.", "location", "status")
        self.run_wait = seconds("run_wait", "From when a run was asked for until it began.", LONG, "location")
        self.run_time = seconds("run", "From when a run began until it ended.", LONG, "location")
        self.steps = counter("steps_ended", "Steps that ended.", "location", "outcome")
        self.step_start = seconds("step_start", "From when a step was sent off until its code began.", SHORT, "backend")
        self.step_time = seconds("step", "From when a step's code began until it ended.", LONG, "location")
        self.retries = counter("step_retries", "Attempts of steps that are followed by another.", "location", "cause")
        self.wasted = counter("failed_attempts_cost", "Cost of attempts that brought nothing.", "location")
        self.checks = counter("checks", "Checks of assets, by result.", "asset", "check", "severity", "result")
        self.materializations = counter("materializations", "Assets, or partitions, that were computed.", "asset")
