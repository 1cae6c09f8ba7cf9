"""How a person appears here and likes the product, and what has happened in their account."""
