"""Declaring jobs: names, typed arguments, mistakes found at import."""

from datetime import date
from uuid import UUID

import pytest
from pydantic import ValidationError

from app.jobs.registry import JobContext, JobMistake, UnknownJob, get_job, job, registered_jobs


async def test_every_features_jobs_are_found_without_a_list_of_them() -> None:
    assert {"email.deliver", "jobs.sweep_rate_limits"} <= set(registered_jobs())


async def test_a_job_that_nobody_declared_is_named_in_the_error_with_the_way_out() -> None:
    with pytest.raises(UnknownJob, match=r"No job is called 'email\.delivr'.*@job"):
        get_job("email.delivr")


async def test_arguments_travel_as_json_and_arrive_in_their_types() -> None:
    arrived: list[object] = []

    @job("tests.typed")
    async def typed(context: JobContext, *, id: UUID, day: date, count: int = 3) -> None:
        arrived.extend([id, day, count])

    declared = get_job("tests.typed")
    payload = declared.check({"id": UUID(int=7), "day": date(2026, 11, 20)})
    await declared.run(None, payload)  # type: ignore[arg-type] # this handler asks nothing of its context

    assert arrived == [UUID(int=7), date(2026, 11, 20), 3]


@pytest.mark.parametrize("arguments", [{}, {"email_id": "no uuid"}, {"email_id": UUID(int=1), "more": 1}])
async def test_wrong_arguments_are_refused_where_the_job_is_asked_for(arguments: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        get_job("email.deliver").check(arguments)


async def test_a_name_can_be_declared_once_only() -> None:
    with pytest.raises(JobMistake, match="declared twice"):

        @job("email.deliver")
        async def another(context: JobContext) -> None: ...


async def test_a_parameter_that_json_cannot_fill_by_name_is_a_mistake() -> None:
    with pytest.raises(JobMistake, match="'email_id' must be an annotated parameter after `\\*`"):

        @job("tests.positional")
        async def positional(context: JobContext, email_id: UUID) -> None: ...


async def test_a_scheduled_job_has_nobody_to_give_it_arguments() -> None:
    with pytest.raises(JobMistake, match="schedule"):

        @job("tests.scheduled", schedule="* * * * *")
        async def scheduled(context: JobContext, *, day: date) -> None: ...
