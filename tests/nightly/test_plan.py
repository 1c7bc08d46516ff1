"""Plans: what they make a testbed do, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.nightly import plan as plans
from lab.testbed import load

GOOD = """
description: two suites
images: [pix-padded, pix-packed]
profile: quick
suites:
  - {suite: ipv4_routing, limit: 1h30m, arguments: [-k, ndr]}
  - {suite: comparison, images: [pix-padded], profile: standard}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    return path


def test_both_image_variants_in_the_order_of_the_plan(tmp_path: Path) -> None:
    plan = plans.load(written(tmp_path, GOOD))
    jobs = plans.jobs(plan, load("virtual"))
    assert [(job.name, job.profile, job.limit_s) for job in jobs] == [
        ("ipv4_routing with pix-padded", "quick", 5400.0),
        ("ipv4_routing with pix-packed", "quick", 5400.0),
        ("comparison with pix-padded", "standard", None),
    ]
    assert jobs[0].command("virtual", None) == [
        "suites/ipv4_routing",
        "--testbed=virtual",
        "--profile=quick",
        "-k",
        "ndr",
        "--image=pix-padded",
    ]


def test_a_reference_boots_nothing(tmp_path: Path) -> None:
    jobs = plans.jobs(plans.load(written(tmp_path, GOOD)), load("reference-computed"))
    assert [job.name for job in jobs] == ["ipv4_routing", "comparison"]
    assert "--store=x" in jobs[0].command("b", "x")


def test_the_plan_that_is_there_is_a_plan() -> None:
    jobs = plans.jobs(plans.load(plans.DEFAULT), load("virtual"))
    assert {job.image for job in jobs} == {"pix-padded", "pix-packed"}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            "suite: ipv4_routing",
            "suite: ipv4_ruting",
            r"plan.yaml line 6: suites\[0\].suite: .*mean 'ipv4_rout",
        ),
        ("limit: 1h30m", "limit: soon", r"line 6: suites\[0\].limit: 'soon' is no duration: write 90s"),
        ("profile: quick", "profile: quik", r"line 4: profile: no profile 'quik': did you mean 'quick'"),
        ("arguments: [-k, ndr]", "arguments: [--image=x]", r"line 6: suites\[0\].arguments: '--image=x' is what the"),
        ("images: [pix-padded, pix-packed]", "image: x", r"line 3: image: unknown key: did you mean 'images'"),
    ],
)
def test_a_wrong_plan_is_refused_with_its_line(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        plans.load(written(tmp_path, GOOD.replace(right, wrong)))
