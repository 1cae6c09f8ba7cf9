"""Work that is done after the answer: rows of the business transaction, run by the worker on PgQueuer."""
