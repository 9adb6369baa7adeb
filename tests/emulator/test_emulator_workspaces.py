"""Switches and limits of one workspace hold there and nowhere else: many readings of the API can be played at once."""

import pytest

from coldsend_emulator.running import RunningEmulator
from tests.emulator.client import KEY, EmulatorClient, smtp_item

OTHER = "cs_live_other"


def code_of_create(client: EmulatorClient, key: str, address: str) -> int:
    with client.with_key(key) as http:
        return http.post("/sender-accounts/smtp", json=smtp_item(address)).status_code


def test_a_switch_of_one_workspace_leaves_the_others_as_they_are(
    client: EmulatorClient, emulator: RunningEmulator
) -> None:
    emulator.switch("workspace-2", create_code="202")
    assert (code_of_create(client, KEY, "a@company.com"), code_of_create(client, OTHER, "b@company.com")) == (201, 202)


def test_a_switch_of_one_workspace_holds_whatever_is_set_for_all(
    client: EmulatorClient, emulator: RunningEmulator
) -> None:
    emulator.switch("workspace-2", create_code="202")
    emulator.switch(create_code="200")
    assert (code_of_create(client, KEY, "a@company.com"), code_of_create(client, OTHER, "b@company.com")) == (200, 202)


def test_a_workspace_can_be_taken_back_to_what_holds_for_all(client: EmulatorClient, emulator: RunningEmulator) -> None:
    emulator.switch("workspace-2", create_code="202")
    emulator.reset_switches("workspace-2")
    assert code_of_create(client, OTHER, "b@company.com") == 201


def test_a_wrong_switch_sets_none_of_its_company(emulator: RunningEmulator) -> None:
    with pytest.raises(Exception, match="422"):
        emulator.switch("workspace-2", create_code="202", delete_code="418")
    shown = emulator.call("GET", "/switches", workspace="workspace-2")["switches"]
    assert {each["name"]: each["value"] for each in shown}["create_code"] == "201"


def test_limits_of_one_workspace_bind_it_alone(client: EmulatorClient, emulator: RunningEmulator) -> None:
    emulator.limit(per_minute=1, workspace="workspace-2")
    codes = [code_of_create(client, key, f"{place}@company.com") for place, key in enumerate((OTHER, OTHER, KEY, KEY))]
    assert codes == [201, 429, 201, 201]
