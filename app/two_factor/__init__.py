"""Second factors: authenticator apps, recovery codes and passkeys, and passkeys as the only thing needed to log in."""
