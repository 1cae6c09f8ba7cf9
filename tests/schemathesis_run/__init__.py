"""Schemathesis against the running product: thousands of requests made from its OpenAPI document, and no answer that breaks it.

    python -m tests.schemathesis_run [further options of `schemathesis run`]

Schemathesis has an environment of its own in .data/schemathesis, from the hashed pins in requirements.lock.
"""
