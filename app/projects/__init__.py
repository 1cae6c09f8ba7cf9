"""Projects of an organization: the example of a feature. Copy this folder to start your own."""
