"""The Go modules whose programs are built from source; each is a folder here with go.mod and go.sum."""

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from devcluster.errors import DevclusterError
from devcluster.paths import PACKAGE

# The linker sets the version of Kubernetes; without these flags it is v0.0.0-master.
_KUBERNETES_LDFLAGS = (
    "-X k8s.io/component-base/version.gitVersion={version}"
    " -X k8s.io/component-base/version.gitMajor={major}"
    " -X k8s.io/component-base/version.gitMinor={minor}"
    " -X k8s.io/client-go/pkg/version.gitVersion={version}"
)


@dataclass(frozen=True)
class GoModule:
    """A folder with go.mod and go.sum.

    Attributes:
        folder: its path.
        packages: the Go package of each program.
        versioned_by: the required module whose version fills `{version}`, `{major}` and `{minor}` of `ldflags`.
        ldflags: linker flags beside `-s -w`.
        tags: build tags.
        is_released: whether `released` can download its programs.
    """

    folder: Path
    packages: Mapping[str, str]
    versioned_by: str
    ldflags: str = ""
    tags: tuple[str, ...] = ()
    is_released: bool = False

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def version(self) -> str:
        return self.version_of(self.versioned_by)

    def version_of(self, required: str) -> str:
        """The version of a module that this one requires."""
        return self._find(rf"^\s*(?:require\s+)?{re.escape(required)} (v\S+)")

    @cached_property
    def go_version(self) -> tuple[int, ...]:
        """The oldest Go that go.mod allows."""
        return tuple(int(part) for part in self._find(r"^go (\d+(?:\.\d+)*)").split("."))

    def named_by_go(self, program: str) -> str:
        """The name that `go build` gives the program: the last part of its path that is not a version."""
        package = self.packages[program]
        path = package if package != "." else self._find(r"^module (\S+)")
        parts = [part for part in path.split("/") if not re.fullmatch(r"v\d+", part)]
        return parts[-1]

    @property
    def flags(self) -> tuple[str, ...]:
        major, minor, *_ = self.version.removeprefix("v").split(".")
        ldflags = f"-s -w {self.ldflags.format(version=self.version, major=major, minor=minor)}".strip()
        tags = (f"-tags={','.join(self.tags)}",) if self.tags else ()
        return ("-trimpath", "-buildvcs=false", "-mod=readonly", *tags, f"-ldflags={ldflags}")

    @property
    def sparing_flags(self) -> tuple[str, ...]:
        """Skip debug information, which is stripped anyway: compiling takes a sixth less time."""
        return ("-gcflags=all=-dwarf=false",)

    @cached_property
    def key(self) -> str:
        """A digest of everything that the programs depend on."""
        digest = hashlib.sha256()
        machine = (platform.system(), platform.machine())
        own_code = (path.read_text() for path in sorted(self.folder.rglob("*.go")))
        for part in (self._go_mod, (self.folder / "go.sum").read_text(), *self.flags, *machine, *own_code):
            digest.update(part.encode() + b"\0")
        return digest.hexdigest()[:16]

    @cached_property
    def _go_mod(self) -> str:
        return (self.folder / "go.mod").read_text()

    def _find(self, pattern: str) -> str:
        found = re.search(pattern, self._go_mod, re.MULTILINE)
        if found is None:
            raise DevclusterError(f"{self.folder / 'go.mod'} has no line like {pattern}")
        return found.group(1)


CONTROL_PLANE = GoModule(
    folder=PACKAGE / "controlplane",
    packages={
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    versioned_by="k8s.io/kubernetes",
    ldflags=_KUBERNETES_LDFLAGS,
    is_released=True,
)

# Charts see the version as .Capabilities.HelmVersion.
HELM = GoModule(
    folder=PACKAGE / "helm",
    packages={"helm": "helm.sh/helm/v4/cmd/helm"},
    versioned_by="helm.sh/helm/v4",
    ldflags="-X helm.sh/helm/v4/internal/version.version={version}",
)

# Still in wide use; the chart's tests render with both.
HELM3 = GoModule(
    folder=PACKAGE / "helm3",
    packages={"helm": "helm.sh/helm/v3/cmd/helm"},
    versioned_by="helm.sh/helm/v3",
    # As in its releases; without these flags it renders for Kubernetes 1.20.
    ldflags="-X helm.sh/helm/v3/internal/version.version={version}"
    " -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37"
    " -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=37",
)

# Without service discovery of clouds, and without the web UI, which needs Node.js.
PROMETHEUS = GoModule(
    folder=PACKAGE / "prometheus",
    packages={
        "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
        "promtool": "github.com/prometheus/prometheus/cmd/promtool",
    },
    versioned_by="github.com/prometheus/prometheus",
    ldflags="-X github.com/prometheus/common/version.Version={version}",
    tags=("remove_all_sd",),
)

# The library with which Helm (a fork), Flux and kpt wait for objects.
KSTATUS = GoModule(
    folder=PACKAGE / "kstatus",
    packages={"kstatus": "."},
    versioned_by="sigs.k8s.io/cli-utils",
)

# A registry and a linter of workflows, only for `make release-check` and the release workflow.
PUBLISHING = GoModule(
    folder=PACKAGE / "publishing",
    packages={
        "actionlint": "github.com/rhysd/actionlint/cmd/actionlint",
        "crane": "github.com/google/go-containerregistry/cmd/crane",
    },
    versioned_by="github.com/google/go-containerregistry",
    ldflags="-X github.com/google/go-containerregistry/cmd/crane/cmd.Version={version}",
)

MODULES = (CONTROL_PLANE, HELM, HELM3, PROMETHEUS, KSTATUS)

NODE = GoModule(
    folder=PACKAGE / "node",
    packages={
        "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    },
    versioned_by="k8s.io/kubernetes",
    ldflags=_KUBERNETES_LDFLAGS,
)

CONTAINERD = GoModule(
    folder=PACKAGE / "containerd",
    packages={
        "containerd": "github.com/containerd/containerd/v2/cmd/containerd",
        "containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
        "ctr": "github.com/containerd/containerd/v2/cmd/ctr",
    },
    versioned_by="github.com/containerd/containerd/v2",
    ldflags="-X github.com/containerd/containerd/v2/version.Version={version}",
    tags=("no_btrfs",),  # it needs system headers
)

COREDNS = GoModule(
    folder=PACKAGE / "coredns",
    packages={"coredns": ".", "pause": "./pause"},
    versioned_by="github.com/coredns/coredns",
)

# One program for all roles, chosen by ARGOCD_BINARY_NAME.
ARGOCD = GoModule(
    folder=PACKAGE / "argocd",
    packages={"argocd": "github.com/argoproj/argo-cd/v3/cmd"},
    versioned_by="github.com/argoproj/argo-cd/v3",
    ldflags="-X github.com/argoproj/argo-cd/v3/common.version={version}",
)

# Only for the whole cluster with pods.
WHOLE_CLUSTER_MODULES = (NODE, CONTAINERD, COREDNS, ARGOCD)
