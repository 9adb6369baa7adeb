"""Where the programs of the control plane come from."""

import os
from dataclasses import dataclass
from pathlib import Path

from devcluster.builder import build
from devcluster.errors import WrongSettingError
from devcluster.kubectl import kubectl_program
from devcluster.modules import CONTROL_PLANE

ASSETS = "KUBEBUILDER_ASSETS"


@dataclass(frozen=True)
class Programs:
    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path


def find_programs() -> Programs:
    """Those of KUBEBUILDER_ASSETS when that is set, else the checkout's own, built where they are missing."""
    assets = os.environ.get(ASSETS)
    if assets:
        return _of_assets(Path(assets).expanduser().absolute())
    folder = build(CONTROL_PLANE, CONTROL_PLANE.packages)
    return Programs(folder / "etcd", folder / "kube-apiserver", folder / "kube-controller-manager")


def find_kubectl() -> Path:
    assets = os.environ.get(ASSETS)
    beside = Path(assets).expanduser().absolute() / "kubectl" if assets else None
    return beside if beside is not None and _is_program(beside) else kubectl_program()


def _of_assets(folder: Path) -> Programs:
    missing = [name for name in ("etcd", "kube-apiserver") if not _is_program(folder / name)]
    if missing:
        raise WrongSettingError(
            f"{ASSETS}={folder} has no program {' and no '.join(missing)}; "
            "give the folder that `setup-envtest use -p path` prints, or unset it to build them from source"
        )
    controllers = folder / "kube-controller-manager"
    if not _is_program(controllers):  # setup-envtest does not bring it
        controllers = build(CONTROL_PLANE, [controllers.name]) / controllers.name
    return Programs(folder / "etcd", folder / "kube-apiserver", controllers)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
