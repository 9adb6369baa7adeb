"""Each alert fires when it should and is silent when not, as promtool sees it; and leads to a section of the docs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.support import Helm
from tests.monitoring.cases import CASES, Case
from tests.monitoring.promtool import ALERTS, ROOT, Promtool, rules

PAGE = ROOT / "docs" / "operations" / "alerts.md"
RUNBOOKS = "https://docs.example.com/operations/alerts/#"
ON = {"metrics": {"prometheusRule": {"enabled": True, "runbookURL": RUNBOOKS, "disabled": []}}}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.alert}-{case.when.replace(' ', '_')}" for case in CASES])
def test_that_an_alert_fires_when_it_should_and_only_then(promtool: Promtool, tmp_path: Path, case: Case) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump(_test_file(case)), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", path)


def test_that_each_alert_is_seen_to_fire_and_to_be_silent() -> None:
    assert {case.alert for case in CASES if case.fires is not None} == set(rules())
    assert {case.alert for case in CASES if case.fires is None} == set(rules())


def test_that_promtool_finds_nothing_to_complain_about(promtool: Promtool) -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)


def test_that_the_rules_of_the_release_are_valid_too(promtool: Promtool, helm: Helm, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(helm.render(ON).one("PrometheusRule")["spec"]), encoding="utf-8")
    assert f"{len(rules())} rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", path)


def test_that_each_runbook_url_leads_to_a_section_and_no_section_is_without_an_alert(helm: Helm) -> None:
    made = [rule for group in helm.render(ON).one("PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
    sections = re.findall(r"^## (\w+) \{ #(\w+) \}$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [rule["annotations"]["runbook_url"] for rule in made] == [f"{RUNBOOKS}{anchor}" for _, anchor in sections]
    assert all(title == anchor for title, anchor in sections)


@pytest.mark.parametrize("name", list(rules()))
def test_that_the_page_names_each_alert_with_its_severity(name: str) -> None:
    row = f"| [{name}](#{name}) | {rules()[name]['labels']['severity']} |"
    assert row in PAGE.read_text(encoding="utf-8")


def test_that_alerts_can_be_left_out_and_labelled(helm: Helm) -> None:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    left_out = [rule["alert"] for group in groups if group["name"] == "coldsend-accounts" for rule in group["rules"]]
    values = {"enabled": True, "disabled": left_out, "alertLabels": {"team": "mail", "severity": "page"}}
    groups = helm.render({"metrics": {"prometheusRule": values}}).one("PrometheusRule")["spec"]["groups"]
    assert {rule["alert"] for group in groups for rule in group["rules"]} == set(rules()) - set(left_out)
    assert [group["name"] for group in groups] == ["coldsend-operator", "coldsend-workspaces"]
    assert all(
        rule["labels"] == {"team": "mail", "severity": "page"} and "runbook_url" not in rule["annotations"]
        for group in groups
        for rule in group["rules"]
    )


def _test_file(case: Case) -> dict[str, Any]:
    return {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": case.interval,
        "tests": [
            {
                "interval": case.interval,
                "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
                "alert_rule_test": [{"alertname": case.alert, "eval_time": case.at, "exp_alerts": _expected(case)}],
            }
        ],
    }


def _expected(case: Case) -> list[dict[str, Any]]:
    if case.fires is None:
        return []
    rule = rules()[case.alert]
    texts = {"summary": case.fires.summary, "description": case.fires.description}
    return [
        {
            "exp_labels": {**case.fires.labels, "severity": rule["labels"]["severity"]},
            "exp_annotations": {name: text or rule["annotations"][name] for name, text in texts.items()},
        }
    ]
