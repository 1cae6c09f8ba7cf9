"""SELECTs of hot paths: compiled once, and run on the session's own connection, inside its transaction and tenant.

The ORM builds a statement, looks it up among the compiled ones, and goes through its loaders each time; for a small row
that costs ten times what the database does. A `Read` does all of it once, when its module is imported:

    SESSION = Read(
        select(Session, User).join(Session.user).where(Session.token_hash == bindparam("token_hash")), Session.user
    )
    row = await SESSION.first(db, token_hash=hash_token(token))

Rows are instances of the models, known to the session as if the ORM had loaded them, so that they can be changed and
flushed. An instance that the session has already stays as it is, as with the ORM. Writes stay with the ORM.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVarTuple

from sqlalchemy import Select, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapper, Session
from sqlalchemy.orm.attributes import instance_dict, instance_state
from sqlalchemy.sql.compiler import SQLCompiler

from app.lines import DIALECT, Record, line_of

Columns = TypeVarTuple("Columns")


class Read(Generic[*Columns]):
    """A SELECT of mapped classes and expressions, whose values are `bindparam(name)`.

    `relations` names the relationships that the row's own entities fill: `Session.user` with the row's User.
    """

    def __init__(self, statement: Select[*Columns], *relations: InstrumentedAttribute[Any]) -> None:
        self._statement = statement
        self._relations = relations

    @cached_property
    def _plan(self) -> "_Plan":
        # Not before the first use: only then are all models known, whichever feature was imported first.
        return _Plan(self._statement, self._relations)  # type: ignore[arg-type] # mypy does not match Any with many columns

    async def all(self, db: AsyncSession, **values: object) -> list[tuple[*Columns]]:
        """All rows. Raises KeyError for a value that is missing, and SQLAlchemy's errors as the ORM does."""
        session, plan = db.sync_session, self._plan
        if session.autoflush and (session.new or session.deleted or session.dirty):
            await db.flush()
        records = await (await line_of(db)).fetch(plan.sql, plan.arguments(values))
        return plan.rows(session, records)

    async def first(self, db: AsyncSession, **values: object) -> tuple[*Columns] | None:
        """The first row, or None. A statement that may find many has a LIMIT of its own."""
        rows = await self.all(db, **values)
        return rows[0] if rows else None


class _Plan:
    """A compiled statement: its text, where its values go, and what its columns become."""

    def __init__(self, statement: Select[Any], relations: Sequence[InstrumentedAttribute[Any]]) -> None:
        self._parts = list(_parts(statement))
        # What the driver makes of the columns is then the row, without a call for each of them.
        self._is_plain = all(isinstance(part, _Expression) and part.is_plain for part in self._parts)
        columns = [column for part in self._parts for column in part.columns]
        compiled = statement.with_only_columns(*columns).compile(dialect=DIALECT)
        assert isinstance(compiled, SQLCompiler)
        self.sql = str(compiled)
        self._values = [_Value(compiled, name) for name in compiled.positiontup or ()]
        self._relations = [
            (self._place_of(relation.parent), relation.key, self._place_of(relation.property.mapper))
            for relation in relations
        ]

    def arguments(self, values: dict[str, object]) -> list[object]:
        return [value.of(values) for value in self._values]

    def rows(
        self, session: Session, records: Sequence[Record]
    ) -> list[Any]:  # Any: Python cannot name a tuple of parts.
        if self._is_plain:
            return [tuple(record) for record in records]
        return [self._row(session, record) for record in records]

    def _row(self, session: Session, record: Record) -> Any:  # Any: as above.
        row = tuple([part.load(session, record) for part in self._parts])
        for place, key, target in self._relations:
            if row[place] is not None:
                instance_dict(row[place])[key] = row[target]
        return row

    def _place_of(self, mapper: object) -> int:
        return next(i for i, part in enumerate(self._parts) if isinstance(part, _Entity) and part.mapper is mapper)


def _parts(statement: Select[Any]) -> "Iterator[_Entity | _Expression]":
    position = 0
    for description in statement.column_descriptions:
        mapper = inspect(description["expr"], raiseerr=False)
        part = _Entity(mapper, position) if isinstance(mapper, Mapper) else _Expression(description, position)
        position += len(part.columns)
        yield part


class _Value:
    """One argument of the statement: given with each call, or part of the statement."""

    def __init__(self, compiled: SQLCompiler, name: str) -> None:
        parameter = compiled.binds[name]
        self._name = parameter.key if parameter.required else None
        self._convert = parameter.type.dialect_impl(DIALECT).bind_processor(DIALECT)
        self._constant = None if self._name else self._converted(parameter.effective_value)

    def of(self, values: dict[str, object]) -> object:
        return self._converted(values[self._name]) if self._name else self._constant

    def _converted(self, value: Any) -> object:  # Any: of the parameter's type.
        return self._convert(value) if self._convert else value


class _Expression:
    """A column of the row that belongs to no entity."""

    def __init__(self, description: Any, position: int) -> None:  # Any: SQLAlchemy's description of a column.
        self.columns = [description["expr"]]
        self._position = position
        self._convert = description["type"].dialect_impl(DIALECT).result_processor(DIALECT, None)
        self.is_plain = self._convert is None

    def load(self, _session: Session, record: Record) -> object:
        value = record[self._position]
        return self._convert(value) if self._convert else value


class _Entity:
    """The columns of the row that make one instance of a mapped class."""

    def __init__(self, mapper: Mapper[Any], position: int) -> None:
        self.mapper = mapper
        attributes = list(mapper.column_attrs)
        self._keys = [attribute.key for attribute in attributes]
        self.columns = [getattr(mapper.class_, key) for key in self._keys]
        self._columns = slice(position, position + len(attributes))
        own = [attribute.columns[0] for attribute in attributes]
        self._primary_key = [position + own.index(column) for column in mapper.primary_key]  # type: ignore[arg-type] # columns
        processors = [column.type.dialect_impl(DIALECT).result_processor(DIALECT, None) for column in own]
        self._processors = [(key, each) for key, each in zip(self._keys, processors, strict=True) if each]

    def load(self, session: Session, record: Record) -> object | None:
        """The row's instance; None where an outer join found nothing."""
        primary_key = tuple([record[position] for position in self._primary_key])
        if primary_key[0] is None:
            return None
        key = (self.mapper.class_, primary_key, None)
        known = session.identity_map.get(key)
        return known if known is not None else self._add(session, key, record)

    def _add(self, session: Session, key: Any, record: Record) -> object:  # Any: SQLAlchemy's identity keys.
        """Make an instance known to the session: what the ORM's own loader does, in the same order."""
        instance: object = self.mapper.class_manager.new_instance()
        state, values = instance_state(instance), instance_dict(instance)
        values.update(zip(self._keys, record[self._columns], strict=True))
        for name, process in self._processors:
            values[name] = process(values[name])
        state.key, state.session_id = key, session.hash_key
        session.identity_map.add(state)
        state._commit_all(values, session.identity_map)
        return instance
