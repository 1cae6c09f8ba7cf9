"""Organizations: whom data belongs to, who is a member of which, and what their role lets them do."""
