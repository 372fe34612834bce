"""How Alembic reaches the database: through the app, so that there is one source of settings.

Runs under `flask db ...` and under `database.prepare`. It leaves logging alone: the program that runs it has its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import context

from musicgen.database import Base, db


def configure(**where: Any) -> None:
    # Batch mode, because SQLite cannot alter most of a table in place.
    context.configure(target_metadata=Base.metadata, render_as_batch=True, compare_type=True, **where)


def write_sql() -> None:
    configure(url=db.engine.url, literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()


def change_database() -> None:
    with db.engine.connect() as connection:
        guard = one_transaction_on_sqlite if connection.dialect.name == "sqlite" else nullcontext
        with guard(connection):
            configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
            connection.commit()


@contextmanager
def one_transaction_on_sqlite(connection: sa.Connection) -> Iterator[None]:
    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    # Batch mode drops tables, which would take the rows that refer to them along.
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    # Python's driver opens no transaction before CREATE TABLE; with one, a killed migration leaves nothing behind.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")


if context.is_offline_mode():
    write_sql()
else:
    change_database()
