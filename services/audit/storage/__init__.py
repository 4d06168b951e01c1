"""PostgreSQL: migrations, the append statement, the search statements."""
