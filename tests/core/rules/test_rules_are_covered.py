"""Every rule of docs/contributing/rules.md has a test that bears its number."""

import re
from pathlib import Path

COUNT = 45
NAME = re.compile(r"^(?:async )?def test_rule_(\d\d)_", re.MULTILINE)


def test_each_rule_of_safety_has_a_test_with_its_number() -> None:
    here = Path(__file__).parent
    numbers = {int(number) for path in here.glob("test_rules_*.py") for number in NAME.findall(path.read_text())}
    assert numbers == set(range(1, COUNT + 1))
