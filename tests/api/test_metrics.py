"""Metrics: named and worded as Prometheus would have them, and counting right."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import LATENCY, SECONDS, Latency, Metrics
from detectors.engine import Result
from ingest.batch import MISSING_MS
from ingest.gate import Verdict

HOUSE = Path(__file__).parents[2]
UNITS = ("_seconds", "_bytes", "_ratio")
ODD_UNITS = re.compile(r"_(ms|millis|milliseconds|minutes|hours|kb|mb|kilobytes|percent)(_|$)")


def families(metrics: Metrics) -> dict[str, Metric]:
    text = generate_latest(metrics.registry).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def used() -> Metrics:
    """Metrics that have seen something of everything."""
    metrics = Metrics()
    verdict = np.array([0, 0, 1, 7], np.uint8)
    result = Result(verdict, unregistered=2, found={}, exempted={("V01", "E1"): 3, ("V01", "E2"): 1})
    metrics.count(np.array([1, 2, 3, MISSING_MS]), np.array([4, 5, 6, 7]), result)
    metrics.count_records(["malformed", "misrouted", "malformed"])
    metrics.count_facts([("V01", "raised"), ("V01", "raised"), ("V02", "ended")])
    metrics.show_partitions({0: 5, 3: 0}, {0: 60_000, 3: MISSING_MS})
    metrics.step_seconds.labels("fence").observe(0.1)
    metrics.warmed_up.labels("hold").inc()
    return metrics


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in families(metrics).values()
        for sample in family.samples
        if sample.name == name
    }


def test_what_exemptions_took(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "warnloop.detect")
    metrics = used()
    metrics.exempted.observe({("V01", "E1"): 5})
    assert samples(metrics, "warnloop_exempted_fixes_total") == {("V01",): 9}
    assert metrics.words()[-1].endswith(": V01 9")
    assert not any("exempted" in line for line in Metrics().words())
    told = [record.getMessage().partition("exemption ")[2] for record in caplog.records]
    assert told == ["E1: V01 was not applied at 3 fixes", "E2: V01 was not applied at 1 fixes"], "the rest in a minute"


def test_names_and_words() -> None:
    for name, family in families(used()).items():
        assert re.fullmatch(r"warnloop(_[a-z]+)+", name)
        assert family.documentation.endswith("."), name
        assert family.documentation[0].isupper(), name
        assert not ODD_UNITS.search(name), "base units only"
        assert family.type in ("counter", "gauge", "histogram")
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_info")), "kept for samples"
        for sample in family.samples:
            assert not set(sample.labels) & {"job", "instance", "quantile"}
            assert family.type != "counter" or sample.name.endswith("_total")
        if family.type == "histogram" or any(word in family.documentation.lower() for word in ("bytes", "[s]")):
            assert name.endswith(UNITS), name


def test_every_metric_is_used() -> None:
    """One that nobody sets stays at nought and lies."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in (HOUSE / "api").glob("*.py"))
    for name in vars(Metrics()):
        if name != "registry":
            assert re.search(rf"\b(metrics|self)\.{name}\.(labels|inc|set|observe|clear|time)\(", source), name


def test_every_label_is_bounded() -> None:
    """No plate, no id, no text of a user: each would be a series for good."""
    labels = {label for family in families(used()).values() for sample in family.samples for label in sample.labels}
    assert labels == {"verdict", "reason", "kind", "fact", "step", "partition", "table", "clock", "le"}


def test_counts() -> None:
    metrics = used()
    assert samples(metrics, "warnloop_fixes_total") == {
        (verdict.name.lower(),): {Verdict.ACCEPTED: 2.0, Verdict.UNQUALIFIED: 1.0, Verdict.DRIFT: 1.0}.get(verdict, 0.0)
        for verdict in Verdict
    }
    assert samples(metrics, "warnloop_quarantined_total") == {("malformed",): 2.0, ("misrouted",): 1.0}
    assert samples(metrics, "warnloop_episodes_total") == {("raised", "V01"): 2.0, ("ended", "V02"): 1.0}
    assert samples(metrics, "warnloop_unregistered_fixes_total") == {(): 2.0}
    assert samples(metrics, "warnloop_latency_seconds_count") == {("device",): 3.0, ("receipt",): 4.0}


def test_a_partition_that_is_gone_is_shown_no_more() -> None:
    metrics = used()
    assert samples(metrics, "warnloop_lag_frames") == {("0",): 5.0, ("3",): 0.0}
    assert samples(metrics, "warnloop_tick_timestamp_seconds") == {("0",): 60.0}
    metrics.show_partitions({3: 1}, {3: 1_500})
    assert samples(metrics, "warnloop_lag_frames") == {("3",): 1.0}
    assert samples(metrics, "warnloop_tick_timestamp_seconds") == {("3",): 1.5}


def test_bounds_rise() -> None:
    for bounds in (SECONDS, LATENCY):
        assert list(bounds) == sorted(set(bounds))
        assert all(bound > 0 for bound in bounds)


def test_latency_counts_as_a_plain_loop_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1_772_380_800.0
    monkeypatch.setattr(time, "time", lambda: now_s)
    random = np.random.default_rng(1)
    ages_ms = [0, -5, 99, 100, 101, 86_400_000, 86_400_001, 10**12, *(int(1_000 * bound) for bound in LATENCY)]
    ages_ms += [int(age) for age in random.lognormal(8, 4, 400)]
    registry = CollectorRegistry()
    latency = Latency(registry)
    times = [int(now_s * 1_000) - age for age in ages_ms]
    latency.observe("device", np.array([*times[:50], MISSING_MS, MISSING_MS]))
    latency.observe("device", np.array(times[50:]))
    latency.observe("device", np.array([], np.int64))
    found = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            if sample.labels["clock"] == "device":
                found[sample.name, sample.labels.get("le", "")] = sample.value
    for bound in LATENCY:
        expected = sum(max(0, age) <= 1_000 * bound for age in ages_ms)
        assert found["warnloop_latency_seconds_bucket", str(bound)] == expected, bound
    assert found["warnloop_latency_seconds_bucket", "+Inf"] == len(ages_ms)
    assert found["warnloop_latency_seconds_count", ""] == len(ages_ms)
    assert found["warnloop_latency_seconds_sum", ""] == pytest.approx(sum(max(0, age) / 1_000 for age in ages_ms))
