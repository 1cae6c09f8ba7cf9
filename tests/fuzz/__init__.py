"""Every hand-written parser of the toolkit as a function of bytes that fails when the parser breaks its word."""
