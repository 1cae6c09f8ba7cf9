"""How people become members: invited by mail, by a link, or by the domain of their address."""
