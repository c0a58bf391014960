"""Routing: who is owed what."""

import uuid
from typing import Any

import pytest

from dispatch.routing import TOPICS, Facts, Routes
from ledger.subscriptions import Subscription

VIOLATION = Facts("violation", "652301", "652301-L001", "V04", 4)


def one(role: str = "centre", tenant: str = "", **changes: Any) -> Subscription:
    plain: dict[str, Any] = {"topics": ["violation", "case", "report"], "kinds": [], "least_severity": 1}
    return Subscription(uuid.uuid4(), role, tenant, **(plain | changes))


EVERYBODY = {
    "centre": one(),
    "county": one("county", "652301"),
    "other county": one("county", "652302"),
    "company": one("company", "652301-L001"),
    "other company": one("company", "652301-L002"),
    "county called as the company": one("county", "652301-L001"),
    "company called as the county": one("company", "652301"),
}


def owed(facts: Facts) -> set[str]:
    found = Routes(EVERYBODY.values()).owed(facts)
    names = {two.id: name for name, two in EVERYBODY.items()}
    assert len({two.id for two in found}) == len(found)
    return {names[two.id] for two in found}


@pytest.mark.parametrize("topic", ["violation", "case"])
def test_a_violation_concerns_its_company_its_county_and_the_centre(topic: str) -> None:
    assert owed(Facts(topic, "652301", "652301-L001", "V04", 4)) == {"centre", "county", "company"}
    assert owed(Facts(topic, "652301", "", "V04", 4)) == {"centre", "county"}
    assert owed(Facts(topic, "", "", "V04", 4)) == {"centre"}


def test_a_report_is_its_own_partys_alone() -> None:
    assert owed(Facts("report", "", "")) == {"centre"}
    assert owed(Facts("report", "652301", "")) == {"county"}
    assert owed(Facts("report", "652301", "652301-L001")) == {"company"}


@pytest.mark.parametrize(
    ("changes", "is_owed"),
    [
        ({}, True),
        ({"topics": ["case"]}, False),
        ({"topics": ["case", "violation"]}, True),
        ({"kinds": ["V01"]}, False),
        ({"kinds": ["V01", "V04"]}, True),
        ({"least_severity": 4}, True),
    ],
)
def test_only_what_was_subscribed(changes: dict[str, Any], is_owed: bool) -> None:
    asked = one("county", "652301", **changes)
    assert Routes([asked]).owed(VIOLATION) == ([asked] if is_owed else [])


def test_least_severity() -> None:
    asked = one(least_severity=3)
    severities = [s for s in (1, 2, 3, 4) if Routes([asked]).owed(Facts("violation", "", "", "V01", s))]
    assert severities == [3, 4]


def test_kinds_and_severity_are_nothing_to_a_report() -> None:
    asked = one(kinds=["V01"], least_severity=4)
    assert Routes([asked]).owed(Facts("report", "", "")) == [asked]
    assert Routes([one(topics=["violation"])]).owed(Facts("report", "", "")) == []


def test_a_warning_has_no_severity_but_a_kind() -> None:
    warning = Facts("warning", "652301", "甲公司", "V05")
    asked = one("company", "甲公司", topics=["warning"], least_severity=4)
    assert Routes([asked, one("company", "乙公司", topics=["warning"])]).owed(warning) == [asked]
    assert Routes([one("company", "甲公司", topics=["warning"], kinds=["V06"])]).owed(warning) == []
    assert Routes([one("company", "甲公司")]).owed(warning) == []


def test_every_event_has_a_topic() -> None:
    assert set(TOPICS) == {"raised", "risen", "ended", "withdrawn", "moved", "issued", "warned"}
