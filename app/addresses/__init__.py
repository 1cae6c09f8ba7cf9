"""A person's e-mail addresses: adding, proving and removing them, and choosing the primary one."""
