"""The two pages as a user of FastAPI writes them: SQLAlchemy's async ORM, dependencies, pydantic, Jinja2."""
