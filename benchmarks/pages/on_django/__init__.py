"""The two pages as a user of Django writes them: its ORM on psycopg, its templates and middleware, synchronous views."""
