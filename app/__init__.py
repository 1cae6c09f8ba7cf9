"""The product: one folder per feature, and the few modules that all features share."""
