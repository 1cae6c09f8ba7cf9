"""Which version of the terms people accept. Change it together with app/site/content/legal/terms.md: everybody is asked anew."""

TERMS_VERSION = "2026-11-20"
