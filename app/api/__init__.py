"""What programs meet that is no feature's own: the description of the API, and its reference page."""
