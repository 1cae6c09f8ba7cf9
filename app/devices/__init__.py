"""Where a person is logged in, and on which devices they are trusted: to look through, and to end."""
