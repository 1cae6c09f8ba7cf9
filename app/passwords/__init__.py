"""New passwords: changed by somebody who is logged in, or set by a mailed link."""
