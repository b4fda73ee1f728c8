"""Contracts between locations: what one reads of another stays as it is, or whoever reads it is asked first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from platform_core.errors import SettingsError, did_you_mean, listed
from platform_core.layering import refused_reading

Described = Mapping[str, Mapping[str, Any]]  # by location what it declares, as `headrace check` is told
Columns = dict[str, str]  # by name the type, with a question mark where values may be missing

FILE = "contract.yaml"
HEAD = (
    "# What other locations read of this one: its columns, with a question mark where values may be missing.\n"
    "# `headrace check` refuses what would break them; `headrace check --accept` writes this file anew.\n"
)


@dataclass(frozen=True, slots=True)
class Published:
    """An asset that a location declares."""

    location: str
    key: str
    layer: Any
    owners: tuple[str, ...]
    reads: tuple[str, ...]
    columns: Columns


def published(described: Described) -> dict[str, Published]:
    """The assets of all locations by key."""
    return {
        asset["key"]: Published(
            location,
            asset["key"],
            asset.get("layer"),
            tuple(asset.get("owners", ())),
            tuple(asset.get("reads", ())),
            {column["name"]: column["type"] + "?" * column["nullable"] for column in asset.get("columns", ())},
        )
        for location, report in described.items()
        for asset in report["assets"]
    }


def consumers(assets: Mapping[str, Published]) -> dict[str, list[Published]]:
    """By key those that read it from another location."""
    found: dict[str, list[Published]] = {}
    for asset in assets.values():
        for key in asset.reads:
            home = assets[key].location if key in assets else key.partition("/")[0]
            if home != asset.location:
                found.setdefault(key, []).append(asset)
    return found


def broken_between(described: Described, contracts: Mapping[str, Mapping[str, Columns]]) -> Iterator[str]:
    """What does not hold between locations, each as a sentence: misspelt upstreams, layers, and broken contracts.

    Args:
        described: all locations. contracts: by location what its contract says, by key.
    """
    assets = published(described)
    readers = consumers(assets)
    known = {key for report in described.values() for key in report.get("declares", ())}
    known |= {key for contract in contracts.values() for key in contract}
    yield from _unknown({*assets, *known}, readers)
    yield from _against_layers(assets, readers)
    for location, contract in contracts.items():
        yield from _broken(location, contract, assets, readers)
        if missing := sorted(
            key for key in readers if key in assets and assets[key].location == location and key not in contract
        ):
            yield (
                f"{listed(missing)} of {location} is read by {_names(readers[missing[0]])}, but no contract says what"
                f" it holds; run `headrace check --accept` and commit code_locations/{location}/{FILE}."
            )


def agreed(described: Described, location: str) -> dict[str, Columns]:
    """The contract of a location as it is at present: the columns of each key that others read."""
    assets = published(described)
    keys = [key for key in consumers(assets) if key in assets and assets[key].location == location]
    return {key: assets[key].columns for key in sorted(keys)}


def _unknown(known: Collection[str], readers: Mapping[str, list[Published]]) -> Iterator[str]:
    for key, found in readers.items():
        if key not in known:
            hint = did_you_mean(key, known)
            yield f"{_names(found)} reads {key}, which no location declares.{hint}"


def _against_layers(assets: Mapping[str, Published], readers: Mapping[str, list[Published]]) -> Iterator[str]:
    for key, found in readers.items():
        for reader in found if key in assets else ():
            if sentence := refused_reading(reader.key, reader.layer, key, assets[key].layer):
                yield sentence


def _broken(
    location: str,
    contract: Mapping[str, Columns],
    assets: Mapping[str, Published],
    readers: Mapping[str, list[Published]],
) -> Iterator[str]:
    for key, columns in contract.items():
        if not readers.get(key):
            continue  # nobody reads it any more: it may go
        changes = breaking_changes(key, columns, assets[key].columns) if key in assets else [f"{key} is gone"]
        for change in changes:
            yield (
                f"{change}, which breaks {_names(readers[key])}. Agree on it with them, or keep it; then"
                f" `headrace check --accept` writes the contract of {location} anew."
            )


def breaking_changes(key: str, before: Columns, after: Columns) -> Iterator[str]:
    """What changed in a way that whoever reads the asset may stumble over."""
    for name, type in before.items():
        if name not in after:
            yield f"{key} lost the column {name}"
            continue
        was, now = type.removesuffix("?"), after[name].removesuffix("?")
        if was != now and not is_wider(was, now):
            how = "narrowed" if is_wider(now, was) else "changed"
            yield f"{key} {how} the type of {name} from {was} to {now}"
        if after[name].endswith("?") and not type.endswith("?"):
            yield f"{key} allows missing values in {name}"


def is_wider(was: str, now: str) -> bool:
    """Whether every value of the first type is one of the second, and of the same kind."""
    kinds = ("UInt", "Int", "Float")
    kind = next((kind for kind in kinds if was.startswith(kind)), None)
    if kind is None or not now.startswith(kind):
        return False
    sizes = was.removeprefix(kind), now.removeprefix(kind)
    return all(size.isdigit() for size in sizes) and int(sizes[0]) <= int(sizes[1])


def _names(readers: Iterable[Published]) -> str:
    return listed(f"{reader.key} ({listed(reader.owners)})" if reader.owners else reader.key for reader in readers)


def read_contract(folder: Path) -> dict[str, Columns]:
    """The contract in a location's folder; empty where there is none."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        found = yaml.safe_load(path.read_text()) or {}
        return {key: {str(name): str(type) for name, type in columns.items()} for key, columns in found.items()}
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise SettingsError(
            f"{path} is no contract: it holds keys with their columns. `headrace check --accept` writes it anew"
            f" ({type(error).__name__})."
        ) from error


def write_contract(folder: Path, contract: Mapping[str, Columns]) -> None:
    """Writes a contract, or removes one that says nothing any more."""
    path = folder / FILE
    if contract:
        plain = {key: dict(columns) for key, columns in contract.items()}
        path.write_text(HEAD + yaml.safe_dump(plain, sort_keys=False))
    else:
        path.unlink(missing_ok=True)
