"""People: signing up, proving an address, logging in and out, forgotten passwords."""
