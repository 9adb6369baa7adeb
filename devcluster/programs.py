"""Finds the programs of the control plane."""

import os
from dataclasses import dataclass
from pathlib import Path

from devcluster.builder import build
from devcluster.errors import WrongSettingError
from devcluster.kubectl import kubectl_program
from devcluster.modules import CONTROL_PLANE

ASSETS = "KUBEBUILDER_ASSETS"
ETCD, API_SERVER, CONTROLLERS = "etcd", "kube-apiserver", "kube-controller-manager"


@dataclass(frozen=True)
class Programs:
    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path | None = None


def find_programs(*, controllers: bool = True) -> Programs:
    """The programs in KUBEBUILDER_ASSETS if set, else those of the checkout, built if missing.

    Without `controllers` the controller manager is None unless it is already built.
    """
    assets = os.environ.get(ASSETS)
    if assets:
        return _of_assets(Path(assets).expanduser().absolute(), controllers=controllers)
    folder = build(CONTROL_PLANE, [ETCD, API_SERVER, *([CONTROLLERS] if controllers else [])])
    return Programs(folder / ETCD, folder / API_SERVER, _if_there(folder / CONTROLLERS))


def find_kubectl() -> Path:
    assets = os.environ.get(ASSETS)
    beside = Path(assets).expanduser().absolute() / "kubectl" if assets else None
    return beside if beside is not None and _is_program(beside) else kubectl_program()


def _of_assets(folder: Path, *, controllers: bool) -> Programs:
    missing = [name for name in (ETCD, API_SERVER) if not _is_program(folder / name)]
    if missing:
        raise WrongSettingError(
            f"{ASSETS}={folder} has no program {' and no '.join(missing)}; "
            "give the folder that `setup-envtest use -p path` prints, or unset it to build them from source"
        )
    manager = _if_there(folder / CONTROLLERS)  # setup-envtest does not install it
    if manager is None and controllers:
        manager = build(CONTROL_PLANE, [CONTROLLERS]) / CONTROLLERS
    return Programs(folder / ETCD, folder / API_SERVER, manager)


def _if_there(path: Path) -> Path | None:
    return path if _is_program(path) else None


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
