"""The API server and its credentials: the service account of the pod, else the kubeconfig."""

import asyncio
import base64
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import SERVICE_HOST_ENV_NAME, InClusterConfigLoader
from kubernetes.aio.config.kube_config import load_kube_config_from_dict

from coldsend_operator.kube.errors import NotConfigured
from coldsend_operator.kube.kubeconfig import impersonation, read_kubeconfig, without_credentials
from coldsend_operator.proxies import proxies_of

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PLUGIN_SECONDS = 30.0  # timeout of an exec plugin of a kubeconfig


@dataclass(frozen=True, slots=True)
class Login:
    """The content of a service account or a kubeconfig at one time."""

    configuration: Configuration
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

    def tls(self) -> ssl.SSLContext:
        """Checks as kubectl does: Python's strict profile refuses CAs without a key usage, which clusters have."""
        configuration = self.configuration
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


async def load_login(service_account: Path = SERVICE_ACCOUNT, *, kubeconfig: str = "", context: str = "") -> Login:
    """Read address, CA and credentials of the API server.

    An explicit kubeconfig or context takes precedence over the service account of the pod, as in kubectl. Raises
    NotConfigured with one sentence if there are none.
    """
    if _in_cluster(service_account) and not (kubeconfig or context):
        configuration = Configuration()
        _load_service_account(configuration, service_account)
        return _login(configuration, None, rotates=True)
    return await _load_kubeconfig(kubeconfig, context)


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
    expires: float | None,
    *,
    rotates: bool = False,
    impersonate: tuple[tuple[str, str], ...] = (),
) -> Login:
    # the kubeconfig's proxy-url precedes the environment, as in kubectl
    configuration.proxy = configuration.proxy or proxies_of(os.environ).to(configuration.host)
    return Login(configuration, expires or _expiry(configuration.api_key), rotates, impersonate)


def _in_cluster(service_account: Path) -> bool:
    return bool(os.environ.get(SERVICE_HOST_ENV_NAME)) and (service_account / "token").is_file()


def _load_service_account(configuration: Configuration, folder: Path) -> None:
    try:
        InClusterConfigLoader(  # type: ignore[no-untyped-call]
            token_filename=str(folder / "token"), cert_filename=str(folder / "ca.crt"), try_refresh_token=False
        ).load_and_set(configuration)
    except (ConfigException, OSError) as error:
        raise NotConfigured(f"the service account in {folder} cannot be used: {error}") from error


async def _load_kubeconfig(kubeconfig: str, context: str) -> Login:
    config = read_kubeconfig(kubeconfig)
    user, raw = config.user(context), config.to_raw(context)
    configuration = Configuration()
    try:
        async with asyncio.timeout(PLUGIN_SECONDS):
            loader = await load_kube_config_from_dict(  # type: ignore[no-untyped-call]
                raw, client_configuration=configuration
            )
    except Exception as error:  # noqa: BLE001 - the library stumbles over a wrong file in any way
        # messages with a user's entry may contain the token, so neither they nor the cause are shown
        what = type(error).__name__ if "{" in str(error) or not isinstance(error, ConfigException | OSError) else error
        raise NotConfigured(f"the kubeconfig {config.paths} cannot be used: {what}") from None
    if user.get("exec") and not (configuration.api_key or configuration.cert_file):
        # the library logs the error of the plugin and goes on without credentials, as somebody else
        raise NotConfigured(f"the kubeconfig {config.paths} cannot be used: {without_credentials(user)}")
    expiry = getattr(loader, "exec_plugin_expiry", None)
    expires = expiry.timestamp() if isinstance(expiry, datetime) else None
    return _login(configuration, expires, impersonate=impersonation(user))


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
