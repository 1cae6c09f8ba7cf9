"""Pages and programs that hear at once what has changed, over websockets and server-sent events."""
