"""The API server and its credentials: the service account of the pod, else the kubeconfig."""

import ast
import asyncio
import base64
import json
import logging
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import SERVICE_HOST_ENV_NAME, InClusterConfigLoader
from kubernetes.aio.config.kube_config import load_kube_config_from_dict

from coldsend_operator.kube.errors import NotConfigured
from coldsend_operator.kube.kubeconfig import impersonation, read_kubeconfig, without_credentials
from coldsend_operator.log_masks import masked_text
from coldsend_operator.proxies import proxies_of, usable_proxy
from coldsend_operator.setting_values import to_base_url

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PLUGIN_SECONDS = 30.0  # timeout of an exec plugin of a kubeconfig
MAX_LINE_LENGTH = 200  # characters of what a plugin says
_LIBRARY = logging.getLogger(load_kube_config_from_dict.__module__)


@dataclass(frozen=True, slots=True)
class Login:
    """The content of a service account or a kubeconfig at one time."""

    configuration: Configuration
    source: str  # names it in messages
    expires: float | None = None  # Unix seconds; None: not known, or never
    rotates: bool = False  # the kubelet replaces the token of a service account at any time
    impersonation: tuple[tuple[str, str], ...] = ()  # headers, by `as` of the kubeconfig

    @property
    def server(self) -> str:
        return str(self.configuration.host).rstrip("/")

    @property
    def authorization(self) -> str | None:
        """The Authorization header, if there is a token."""
        token = self.configuration.api_key.get("BearerToken")
        return str(token).strip() if token else None

    @property
    def certificate(self) -> tuple[object, ...] | None:
        """Identifies the version of the client certificate; None without one."""
        files = [self.configuration.cert_file, self.configuration.key_file]
        return tuple((file, Path(file).stat().st_mtime_ns) for file in files if file) or None

    def trust(self, context: ssl.SSLContext) -> None:
        """Add the CA as it is now, as clusters rotate theirs; what the context trusted before stays trusted."""
        configuration = self.configuration
        if configuration.ssl_ca_cert or configuration.ca_cert_data:
            with suppress(OSError):  # which ssl.SSLError is, too: the file is being written
                context.load_verify_locations(configuration.ssl_ca_cert, cadata=configuration.ca_cert_data)

    def tls(self) -> ssl.SSLContext:
        """Checks as kubectl does: Python's strict profile refuses CAs without a key usage, which clusters have.

        Raises NotConfigured if a certificate or key cannot be used.
        """
        configuration = self.configuration
        try:
            context = ssl.create_default_context(cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data)
        except OSError:
            raise NotConfigured(f"{self.source} cannot be used: its CA has no certificates in PEM form") from None
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if configuration.cert_file:
            self._show_certificate(context, configuration.cert_file)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _show_certificate(self, context: ssl.SSLContext, certificate: str) -> None:
        def passphrase() -> str:  # OpenSSL would ask for it on the terminal
            raise NotConfigured(f"{self.source} cannot be used: its client key has a passphrase; store it without one")

        try:
            context.load_cert_chain(certificate, self.configuration.key_file, passphrase)
        except OSError:
            raise NotConfigured(
                f"{self.source} cannot be used: its client certificate and key do not belong together, or are not in "
                "PEM form"
            ) from None


async def load_login(
    service_account: Path = SERVICE_ACCOUNT,
    *,
    kubeconfig: str = "",
    context: str = "",
    plugin_seconds: float = PLUGIN_SECONDS,
    impersonate: Mapping[str, object] = MappingProxyType({}),
) -> Login:
    """Read address, CA and credentials of the API server.

    An explicit kubeconfig or context takes precedence over the service account of the pod, as in kubectl, and
    `impersonate` over these fields of a user of the kubeconfig. Raises NotConfigured with one sentence if there are
    none.
    """
    if _in_cluster(service_account) and not (kubeconfig or context):
        configuration = Configuration()
        _load_service_account(configuration, service_account)
        source, headers = f"the service account in {service_account}", impersonation(impersonate)
        return _login(configuration, source, rotates=True, impersonate=headers)
    return await _load_kubeconfig(kubeconfig, context, plugin_seconds, impersonate)


def namespace_of_context(kubeconfig: str = "", context: str = "") -> str | None:
    """The namespace of the current context, as in kubectl; None if no kubeconfig sets one."""
    try:
        namespace = read_kubeconfig(kubeconfig).context(context).get("namespace")
    except NotConfigured:
        return None
    return str(namespace) if namespace else None


def context_names(kubeconfig: str = "") -> list[str]:
    """The names of all contexts of a kubeconfig; empty if it cannot be used."""
    try:
        return list(read_kubeconfig(kubeconfig).entries["contexts"])
    except NotConfigured:
        return []


def _login(
    configuration: Configuration,
    source: str,
    expires: float | None = None,
    *,
    rotates: bool = False,
    impersonate: tuple[tuple[str, str], ...] = (),
) -> Login:
    try:
        configuration.host = to_base_url(configuration.host)
    except ValueError:
        raise NotConfigured(f"{source} cannot be used: its server is no http or https URL") from None
    # the kubeconfig's proxy-url precedes the environment, as in kubectl
    if configuration.proxy:
        configuration.proxy = usable_proxy(configuration.proxy)
        if configuration.proxy is None:
            raise NotConfigured(f"{source} cannot be used: its proxy-url is no http or https URL")
    else:
        configuration.proxy = proxies_of(os.environ).to(configuration.host)
    return Login(configuration, source, expires or _expiry(configuration.api_key), rotates, impersonate)


def _in_cluster(service_account: Path) -> bool:
    return bool(os.environ.get(SERVICE_HOST_ENV_NAME)) and (service_account / "token").is_file()


def _load_service_account(configuration: Configuration, folder: Path) -> None:
    try:
        InClusterConfigLoader(  # type: ignore[no-untyped-call]
            token_filename=str(folder / "token"), cert_filename=str(folder / "ca.crt"), try_refresh_token=False
        ).load_and_set(configuration)
    except (ConfigException, OSError) as error:
        raise NotConfigured(f"the service account in {folder} cannot be used: {error}") from error


async def _load_kubeconfig(
    kubeconfig: str, context: str, plugin_seconds: float, impersonate: Mapping[str, object]
) -> Login:
    config = read_kubeconfig(kubeconfig)
    source = f"the kubeconfig {config.paths}"
    user, raw = config.user(context), config.to_raw(context)
    configuration = Configuration()
    errors = _Errors()
    try:
        async with asyncio.timeout(plugin_seconds):
            with errors.collected():
                loader = await load_kube_config_from_dict(  # type: ignore[no-untyped-call]
                    raw, client_configuration=configuration
                )
    except TimeoutError:
        why = without_credentials(user) if user.get("exec") else "its auth-provider does not answer"
        raise NotConfigured(f"{source} cannot be used: {why}") from None
    except Exception as error:  # noqa: BLE001 - the library stumbles over a wrong file in any way
        # messages with a user's entry may contain the token, so neither they nor the cause are shown
        what = type(error).__name__ if "{" in str(error) or not isinstance(error, ConfigException | OSError) else error
        raise NotConfigured(f"{source} cannot be used: {what}") from None
    if user.get("exec") and not (configuration.api_key or configuration.cert_file):
        # the library logs the error of the plugin and goes on without credentials, as somebody else
        raise NotConfigured(f"{source} cannot be used: {without_credentials(user, _last_line(errors.messages))}")
    expiry = getattr(loader, "exec_plugin_expiry", None)
    expires = expiry.timestamp() if isinstance(expiry, datetime) else None
    return _login(configuration, source, expires, impersonate=impersonation({**user, **impersonate}))


class _Errors(logging.Handler):
    """What the library logs of an exec plugin that fails: it raises nothing then."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    @contextmanager
    def collected(self) -> Iterator[None]:
        level, _LIBRARY.propagate = _LIBRARY.level, False
        _LIBRARY.setLevel(self.level)
        _LIBRARY.addHandler(self)
        try:
            yield
        finally:
            _LIBRARY.removeHandler(self)
            _LIBRARY.setLevel(level)
            _LIBRARY.propagate = True


def _last_line(errors: list[str]) -> str:
    """The last line of the output of a plugin, masked. The library writes the bytes as Python does."""
    said = errors[-1].removeprefix("exec: ") if errors else ""
    written = re.search(r"b(['\"]).*\1$", said, re.DOTALL)
    if written is not None:
        with suppress(ValueError, SyntaxError):
            said = ast.literal_eval(written[0]).decode(errors="replace")
    lines = masked_text(said).split("\n")
    return " ".join(lines[-1].split())[:MAX_LINE_LENGTH]


def _expiry(api_key: Mapping[str, str]) -> float | None:
    """When a token expires, by the payload of the JWT, as for service accounts."""
    parts = api_key.get("BearerToken", "").strip().split(".")
    if len(parts) != 3:
        return None
    try:
        expires = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))["exp"]
    except (ValueError, KeyError, TypeError):
        return None
    return float(expires) if isinstance(expires, int | float) else None
