"""What happened, by whom and from where: rows that can be added and read, never changed."""
