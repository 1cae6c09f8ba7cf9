"""Files that an organization keeps: uploaded, looked at for what they are, counted, handed out to its members alone."""
