"""Which API server, and as whom: the service account of the pod, else the kubeconfig."""

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.incluster_config import SERVICE_HOST_ENV_NAME, InClusterConfigLoader
from kubernetes.aio.config.kube_config import load_kube_config

from coldsend_operator.kube.errors import NotConfigured

CONNECTIONS = 64
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


async def load_configuration(service_account: Path = SERVICE_ACCOUNT) -> Configuration:
    """Address, trust and credentials of the API server, read anew.

    Raises NotConfigured with one sentence when there are none.
    """
    configuration = Configuration(connection_pool_maxsize=CONNECTIONS)
    if _in_cluster(service_account):
        _load_service_account(configuration, service_account)
    else:
        await _load_kubeconfig(configuration)
    configuration.proxy = configuration.proxy or _proxy(configuration.host)
    # aiohttp's own trust_env asks environment and .netrc at each request; the proxy is settled above, once
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration


def _in_cluster(service_account: Path) -> bool:
    return bool(os.environ.get(SERVICE_HOST_ENV_NAME)) and (service_account / "token").is_file()


def _load_service_account(configuration: Configuration, folder: Path) -> None:
    try:
        InClusterConfigLoader(  # type: ignore[no-untyped-call]
            token_filename=str(folder / "token"), cert_filename=str(folder / "ca.crt")
        ).load_and_set(configuration)
    except (ConfigException, OSError) as error:
        raise NotConfigured(f"the service account in {folder} cannot be used: {error}") from error


async def _load_kubeconfig(configuration: Configuration) -> None:
    paths = _kubeconfig_paths()
    try:
        await load_kube_config(  # type: ignore[no-untyped-call]
            paths, client_configuration=configuration, persist_config=False
        )
    except Exception as error:  # noqa: BLE001 - the library stumbles over a wrong file in any way
        # its messages may quote a user's entry, so the token; neither they nor the cause are shown then
        what = type(error).__name__ if "{" in str(error) or not isinstance(error, ConfigException | OSError) else error
        raise NotConfigured(f"the kubeconfig {paths} cannot be used: {what}") from None


def _kubeconfig_paths() -> str:
    paths = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path):
        raise NotConfigured(f"no access to a cluster: neither a service account nor the file {paths} is there")
    return paths


def _proxy(host: str) -> str | None:
    url = urlsplit(host)
    if proxy_bypass(url.netloc):
        return None
    return getproxies().get(url.scheme)
