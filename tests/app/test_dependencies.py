"""What handlers depend on."""

import inspect

from app import features
from core.params import dependencies_of


def test_no_dependency_and_no_handler_takes_a_thread() -> None:
    """Whatever cannot wait is called in a thread, which costs more than all that these do."""
    endpoints = [
        (endpoint, getattr(route, "dependencies", ()))
        for route in features.routes(development=True)
        if inspect.isfunction(endpoint := getattr(route, "endpoint", None))
    ]
    called = [each.dependency for endpoint, behind in endpoints for each in dependencies_of(endpoint, behind=behind)]

    waits = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    blocking = {
        each
        for each in [*called, *(endpoint for endpoint, _ in endpoints)]
        if not any(is_one(each) for is_one in waits)
    }
    assert blocking == set()
