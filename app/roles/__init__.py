"""What each role allows, and the roles that organizations make for themselves."""
