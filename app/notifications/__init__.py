"""What people are told: in the product, by e-mail, and once a day together."""
