"""The same in Metaflow: a foreach over tasks that do nothing."""

import os

from metaflow import FlowSpec, step


class ForeachFlow(FlowSpec):
    @step
    def start(self) -> None:
        self.numbers = list(range(int(os.environ.get("HEADRACE_BENCH_STEPS", "100"))))
        self.next(self.nothing, foreach="numbers")

    @step
    def nothing(self) -> None:
        self.next(self.join)

    @step
    def join(self, inputs: object) -> None:  # noqa: ARG002
        self.next(self.end)

    @step
    def end(self) -> None: ...


if __name__ == "__main__":
    ForeachFlow()
