"""The public site: what the product says about itself before anybody has signed up."""
