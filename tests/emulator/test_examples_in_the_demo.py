"""What examples/README.md says to prepare for the demo makes those examples work."""

import re
from pathlib import Path

import httpx
import yaml

from coldsend_emulator.running import RunningEmulator
from tests.emulator.client import EmulatorClient

EXAMPLES = Path(__file__).parents[2] / "examples"
CALL = re.compile(r"^curl -X POST -H 'content-type: application/json' -d '(.+)' \$EMULATOR(\S+)$", re.MULTILINE)


def prepare(emulator: RunningEmulator) -> None:
    calls = CALL.findall((EXAMPLES / "README.md").read_text())
    assert len(calls) == 2
    address = emulator.api_url.partition("/api")[0]
    for body, path in calls:
        answer = httpx.post(
            f"{address}{path}", content=body, headers={"content-type": "application/json"}, trust_env=False
        )
        assert answer.status_code == 201, answer.text


def objects(name: str, kind: str) -> list[dict[str, object]]:
    return [each for each in yaml.safe_load_all((EXAMPLES / name).read_text()) if each["kind"] == kind]


def test_that_the_inboxes_that_are_adopted_and_observed_are_there_with_their_types(client: EmulatorClient) -> None:
    prepare(client.emulator)
    there = {row["email_address"]: row["inbox_type"] for row in client.rows()}
    for name in ("adopt.yaml", "observe.yaml"):
        (account,) = objects(name, "SenderAccount")
        spec = account["spec"]
        assert isinstance(spec, dict)
        assert there[spec["emailAddress"]] == spec["inboxType"]


def test_that_the_key_of_the_own_workspace_is_valid(client: EmulatorClient) -> None:
    prepare(client.emulator)
    (secret,) = (each for each in objects("own-workspace.yaml", "Secret") if "apiKey" in str(each))
    data = secret["stringData"]
    assert isinstance(data, dict)
    with client.with_key(data["apiKey"]) as other:
        assert other.get("/sender-accounts").status_code == 200
