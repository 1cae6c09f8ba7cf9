"""Personal access tokens: how programs say for whom they act."""
