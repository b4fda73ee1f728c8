"""What a profile may say to Kubernetes, checked before anything is created."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from platform_core.errors import DefinitionError, did_you_mean, listed


@dataclass(frozen=True)
class KubernetesOptions:
    """`Profile.options` for Kubernetes.

    Args:
        namespace: the Kubernetes namespace, where it is not the backend's own.
        node_selector, tolerations, volumes, volume_mounts: as Kubernetes spells them.
        service_account: whose rights the step has; `service_account_token` puts its token into the pod.
        image_pull_secrets: names of secrets.
        priority_class: its name.
        env_secrets: names of secrets whose every key becomes a variable.
        annotations: for the Job and its pod.
        run_as_user: 0 is root, which steps are not by themselves.
        writable_root: lets the step write outside `/tmp` and its volumes.
        privilege_escalation: lets it gain rights, as `sudo` does.
        pod_spec, container: anything else, merged over what the platform makes of the pod and of the step's container.
    """

    namespace: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    service_account: str = ""
    service_account_token: bool = False
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: Sequence[str] = ()
    priority_class: str = ""
    env_secrets: Sequence[str] = ()
    volumes: Sequence[Mapping[str, Any]] = ()
    volume_mounts: Sequence[Mapping[str, Any]] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    run_as_user: int = 1000
    writable_root: bool = False
    privilege_escalation: bool = False
    pod_spec: Mapping[str, Any] = field(default_factory=dict)
    container: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "KubernetesOptions":
        """Reads a profile's options.

        Raises:
            DefinitionError: there is no such option.
        """
        known = [option.name for option in fields(cls)]
        if unknown := [name for name in options if name not in known]:
            raise DefinitionError(
                f"A profile for Kubernetes has no option '{unknown[0]}'; there are: {listed(known, len(known))}."
                f"{did_you_mean(unknown[0], known)}"
            )
        return cls(**options)
