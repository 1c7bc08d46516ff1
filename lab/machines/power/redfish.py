"""Power by a baseboard controller that speaks Redfish."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import sushy
from sushy.auth import BasicAuth
from sushy.exceptions import AccessError, ConnectionError, HTTPError, SushyError
from sushy.resources.system.system import System

from lab.errors import LabError, TestbedUnreachable, UsageError, near_misses
from lab.machines.protocol import PowerState
from lab.testbed.power import RedfishPower
from lab.testbed.secrets import login

_CONNECT_LIMIT_S = 4.0
_ANSWER_LIMIT_S = 9.0

# What sushy has to say is in the errors that it raises; without a handler Python would print it.
logging.getLogger("sushy").addHandler(logging.NullHandler())


class RedfishSwitch:
    """Asks the controller; every request carries the login (HTTP basic), so that no session stays behind."""

    off_s = 1.0

    def __init__(self, power: RedfishPower) -> None:
        """Take where it is; UsageError where the credentials are not."""
        host = f"[{power.address}]" if ":" in power.address else power.address
        self._url = f"{power.scheme}://{host}:{power.port}"
        self.where = f"the BMC {power.address} (Redfish, port {power.port})"
        self._power = power
        self._login = login(power.credentials, self.where)
        self._root: sushy.Sushy | None = None
        self._path = ""

    def state(self) -> PowerState:
        """Ask for the state; what is being switched still has the old one."""
        with self._explained("the state"):
            state = self._system().power_state
        if state is None:
            raise LabError(f"{self.where} does not tell the power state: update its firmware, or switch another way")
        return "off" if state in (sushy.PowerState.OFF, sushy.PowerState.POWERING_ON) else "on"

    def switch(self, wanted: PowerState) -> None:
        """Ask for the other state."""
        with self._explained(wanted):
            self._system().reset_system(sushy.ResetType.ON if wanted == "on" else sushy.ResetType.FORCE_OFF)

    def reset(self) -> bool:
        """Pull the reset line; returns False for a controller without ForceRestart."""
        with self._explained("reset"):
            system = self._system()
            if sushy.ResetType.FORCE_RESTART not in system.get_allowed_reset_system_values():
                return False
            system.reset_system(sushy.ResetType.FORCE_RESTART)
        return True

    def boot_from_network(self) -> None:
        """Override the boot source for the next start, and only that."""
        with self._explained("boot from the network"):
            self._system().set_system_boot_options(
                target=sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE
            )

    def close(self) -> None:
        """Forget the connection; there is no session to end."""
        self._root = None

    def _system(self) -> System:
        """Fetch the system as it is now."""
        if self._root is None:
            verify: bool | str = not self._power.insecure
            if verify and self._power.certificate is not None:
                verify = str(self._power.certificate)
            self._root = sushy.Sushy(
                self._url,
                auth=BasicAuth(username=self._login.user, password=self._login.password),
                verify=verify,
                server_side_retries=1,  # which also makes it the only attempt to connect
                server_side_retries_delay=1,
                connect_timeout=_CONNECT_LIMIT_S,
                read_timeout=_ANSWER_LIMIT_S,
            )
        if not self._path:
            self._path = self._chosen(self._root.get_system_collection().members_identities)
        return self._root.get_system(self._path)

    def _chosen(self, paths: tuple[str, ...]) -> str:
        """Return the path of the system that the testbed names, or of the only one."""
        by_name = {path.rstrip("/").rsplit("/", 1)[-1]: path for path in paths}
        if self._power.system is None:
            if len(by_name) != 1:
                raise UsageError(f"{self.where} has {len(by_name)} systems: name one of {', '.join(by_name)} (system)")
            return paths[0]
        if self._power.system not in by_name:
            hint = near_misses(self._power.system, by_name)
            raise UsageError(f"{self.where} has no system {self._power.system!r}: {hint}")
        return by_name[self._power.system]

    @contextmanager
    def _explained(self, request: str) -> Iterator[None]:
        """Turn what goes wrong into one line."""
        certificate = self._power.certificate
        if certificate is not None and not certificate.is_file():
            raise UsageError(f"{self.where}: there is no certificate {certificate}: correct its path")
        try:
            yield
        except AccessError as error:
            raise TestbedUnreachable(f"{self.where}: the login is refused: check its credentials") from error
        except (ConnectionError, requests.RequestException) as error:
            raise TestbedUnreachable(f"{self.where} {_problem(error)}") from error
        except (SushyError, ValueError) as error:
            text = f"HTTP {error.status_code}: {error.detail}" if isinstance(error, HTTPError) else str(error)
            raise LabError(f"{self.where}: the request {request!r} failed: {' '.join(text.split())}") from error


def _problem(error: Exception) -> str:
    """Say why there is no connection; what the libraries say has a page of wrapping."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "shows a certificate that is not to be trusted: give its file (certificate), or see who answers"
    if "SSL" in text:
        return "does not speak TLS as expected: check its port, and scheme"
    if "Name or service not known" in text or "NameResolution" in text:
        return "is not known by that name: correct its address"
    if "refused" in text:
        return "refuses connections: check its port, and whether Redfish is enabled there"
    return "does not answer: check its address, port and scheme, and whether Redfish is enabled there"
