from pathlib import Path

import pytest

from app.site import content


def test_a_year_costs_less_than_twelve_months() -> None:
    paid = [plan for plan in content.load_catalogue().plans if not plan.is_free]

    assert paid
    assert all(plan.monthly_when_paid_yearly < plan.monthly for plan in paid)


def test_exactly_one_plan_is_recommended() -> None:
    assert [plan.is_recommended for plan in content.load_catalogue().plans].count(True) == 1


def test_a_row_that_leaves_a_plan_out_is_refused_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (content.FOLDER / "plans.toml").read_text().replace('["3", "25", "Unlimited"]', '["3", "25"]')
    (tmp_path / "plans.toml").write_text(source)
    monkeypatch.setattr(content, "FOLDER", tmp_path)

    with pytest.raises(ValueError, match="'Members' needs 3 values"):
        content.load_catalogue.__wrapped__()
