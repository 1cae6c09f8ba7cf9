"""The list of people who wait for a place, while SIGN_UP=waitlist."""
