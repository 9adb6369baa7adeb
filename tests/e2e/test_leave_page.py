"""The check of docs/how-to/leave.md, by which people decide that no inbox will be deleted."""

import json
import os
import re
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import devcluster
from coldsend_operator.resources.names import ACCOUNT_KIND, API_VERSION
from tests.kube.support import kubectl

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "leave.md"
NAMESPACE = "leaving"
POLICIES = {"kept": "Orphan", "deleted": "Delete", "unset": None}


def check_of_the_page() -> str:
    (found,) = re.findall(r"^2\. .*?^    ```console\n(.*?)^    ```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return dedent(found)


def account(name: str, policy: str | None) -> dict[str, Any]:
    spec = {"inboxType": "COLDSEND", "displayName": name, "native": {"domainName": "a.com", "emailPrefix": name}}
    spec |= {"deletionPolicy": policy} if policy else {}
    return {"apiVersion": API_VERSION, "kind": ACCOUNT_KIND, "metadata": {"name": name}, "spec": spec}


def test_the_check_names_every_object_whose_deletion_would_delete_its_inbox(
    cluster: devcluster.Cluster, crds: None, tmp_path: Path
) -> None:
    kubectl(cluster, "create", "namespace", NAMESPACE)
    for name, policy in POLICIES.items():
        kubectl(cluster, "apply", "-n", NAMESPACE, "-f", "-", given=json.dumps(account(name, policy)))
    around = {
        "HOME": str(tmp_path),  # kubectl keeps what it learns of the API server there
        "KUBECONFIG": str(cluster.kubeconfig),
        "PATH": f"{cluster.kubectl.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["/bin/bash", "-c", check_of_the_page()], env=around, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    named = {name for name in POLICIES if re.search(rf"^{NAMESPACE}\W+{name}\b", done.stdout, re.MULTILINE)}
    assert named == {"deleted", "unset"}
    kubectl(cluster, "delete", "namespace", NAMESPACE, "--wait=false")
