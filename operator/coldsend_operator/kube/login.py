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
    try:
        if _in_cluster(service_account):
            InClusterConfigLoader(  # type: ignore[no-untyped-call]
                token_filename=str(service_account / "token"), cert_filename=str(service_account / "ca.crt")
            ).load_and_set(configuration)
        else:
            await load_kube_config(  # type: ignore[no-untyped-call]
                _kubeconfig(), client_configuration=configuration, persist_config=False
            )
    except (ConfigException, OSError) as error:
        raise NotConfigured(f"no access to a cluster: {error}") from error
    configuration.proxy = configuration.proxy or _proxy(configuration.host)
    # aiohttp's own trust_env asks environment and .netrc at each request; the proxy is settled above, once
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration


def _in_cluster(service_account: Path) -> bool:
    return bool(os.environ.get(SERVICE_HOST_ENV_NAME)) and (service_account / "token").is_file()


def _kubeconfig() -> str:
    paths = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path):
        raise NotConfigured(f"no access to a cluster: neither a service account nor the file {paths} is there")
    return paths


def _proxy(host: str) -> str | None:
    url = urlsplit(host)
    if proxy_bypass(url.netloc):
        return None
    return getproxies().get(url.scheme)
