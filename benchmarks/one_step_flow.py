"""What `headrace try` is compared with, in Metaflow: a step that doubles three numbers of the step before."""

import polars as pl
from metaflow import FlowSpec, step


class OneStepFlow(FlowSpec):
    @step
    def start(self) -> None:
        self.numbers = pl.DataFrame({"number": [1, 2, 3]})
        self.next(self.double)

    @step
    def double(self) -> None:
        self.doubles = self.numbers.with_columns(double=pl.col("number") * 2)
        self.next(self.end)

    @step
    def end(self) -> None: ...


if __name__ == "__main__":
    OneStepFlow()
