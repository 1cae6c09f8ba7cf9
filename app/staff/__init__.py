"""Pages of the people who run the product: what its machinery does, and what they can do about it."""
