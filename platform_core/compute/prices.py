"""What an hour of a step costs: a table of prices in the settings, over those that profiles have in code."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from platform_core.compute.placement import Placement
from platform_core.compute.spec import Compute
from platform_core.settings import read_settings

DEFAULT = "default"
GIB = 1 << 30


class Price(BaseModel):
    """What an hour costs of one processor, one GiB of memory and one GPU, in whatever currency you count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    memory: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    gpu: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    def of(self, compute: Compute) -> float:
        """An hour of a step; memory that it leaves open is not counted, as nobody knows how much it is."""
        memory = (compute.memory_bytes or 0) / GIB
        return compute.cpu * self.cpu + memory * self.memory + compute.gpu * self.gpu


class PriceSettings(BaseSettings):
    """The table of prices. Empty variables count as not set."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, frozen=True, extra="ignore")

    prices: dict[str, Price] = Field(
        default_factory=dict,
        description='As JSON, by profile or backend, or "default": what an hour of a cpu, a GiB, a gpu costs.',
    )


def price_per_hour(placement: Placement) -> float | None:
    """What an hour of a step costs that was placed; None where nobody knows.

    The narrowest price counts: that of its profile in the settings, of its profile in code, of its backend, of all.

    Raises:
        SettingsError: the table cannot be used.
    """
    table, compute = read_settings(PriceSettings).prices, placement.compute
    if compute.profile in table:
        return table[compute.profile].of(compute)
    if (in_code := placement.profile.price_per_hour(compute)) is not None:
        return in_code
    found = table.get(placement.backend, table.get(DEFAULT))
    return None if found is None else found.of(compute)
