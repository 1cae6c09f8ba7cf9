"""Every route and field, asked as every kind of person: what belongs to others is as missing as what does not exist."""
