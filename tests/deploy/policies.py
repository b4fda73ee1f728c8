"""What network policies allow a pod, as rules of iptables: for clusters whose network plugin does not keep them.

Understood is what manifests here say: selectors by labels, blocks of addresses with exceptions, ports by number.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

Direction = Literal["Ingress", "Egress"]
CHAINS: Mapping[Direction, str] = {"Ingress": "INPUT", "Egress": "OUTPUT"}
OTHER_END: Mapping[Direction, str] = {"Ingress": "-s", "Egress": "-d"}


@dataclass(frozen=True)
class Pod:
    """A pod with an address of its own."""

    namespace: str
    labels: Mapping[str, str]
    address: str


@dataclass(frozen=True)
class World:
    """What policies are about: pods, the labels of Kubernetes namespaces, and policies as Kubernetes tells them."""

    pods: Sequence[Pod]
    labels: Mapping[str, Mapping[str, str]]
    policies: Sequence[Any]


def filters(pod: Pod, world: World, node: str) -> list[str]:
    """The rules inside the network of a pod. What probes it comes from its node, and always may."""
    rules = [f"-A INPUT -s {node} -j ACCEPT"]
    for direction in CHAINS:
        binding = [policy for policy in world.policies if _binds(policy, pod, direction)]
        if binding:
            rules += [rule for policy in binding for rule in _allowed(policy, world, direction)]
            rules += [f"-A {CHAINS[direction]} -j REJECT"]
    return rules


def _binds(policy: Any, pod: Pod, direction: Direction) -> bool:
    return (
        policy.metadata.namespace == pod.namespace
        and direction in policy.spec.policy_types
        and _selects(policy.spec.pod_selector, pod.labels)
    )


def _allowed(policy: Any, world: World, direction: Direction) -> Iterator[str]:
    chain, end = CHAINS[direction], OTHER_END[direction]
    said = policy.spec.ingress if direction == "Ingress" else policy.spec.egress
    for rule in said or ():
        peers = rule._from if direction == "Ingress" else rule.to
        for network in _networks(peers, policy.metadata.namespace, world):
            for port in rule.ports or ():
                yield f"-A {chain} {end} {network} -p {port.protocol.lower()} --dport {int(port.port)} -j ACCEPT"


def _networks(peers: Sequence[Any], namespace: str, world: World) -> Iterator[IPv4Network]:
    for peer in peers:
        if peer.ip_block:
            yield from _without(IPv4Network(peer.ip_block.cidr), map(IPv4Network, peer.ip_block._except or ()))
            continue
        wanted = _namespaces(peer.namespace_selector, namespace, world)
        for pod in world.pods:
            if wanted(pod.namespace) and (not peer.pod_selector or _selects(peer.pod_selector, pod.labels)):
                yield IPv4Network(IPv4Address(pod.address))


def _namespaces(selector: Any, own: str, world: World) -> Callable[[str], bool]:
    if selector is None:
        return lambda name: name == own
    return lambda name: _selects(selector, world.labels.get(name, {}))


def _without(whole: IPv4Network, exceptions: Iterator[IPv4Network]) -> list[IPv4Network]:
    left = [whole]
    for exception in exceptions:
        left = [
            part for one in left for part in (one.address_exclude(exception) if exception.subnet_of(one) else [one])
        ]
    return left


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    equal = all(labels.get(name) == value for name, value in (selector.match_labels or {}).items())
    return equal and all(_fits(one, labels) for one in selector.match_expressions or ())


def _fits(expression: Any, labels: Mapping[str, str]) -> bool:
    match expression.operator:
        case "In":
            return labels.get(expression.key) in expression.values
        case "NotIn":
            return labels.get(expression.key) not in expression.values
        case "Exists":
            return expression.key in labels
        case _:
            return expression.key not in labels
