"""The parts of the server's protocol class; `core.server` is their public face.

`limits` are its bounds, `wire` the bytes of heads and the grammar of targets and hosts, `exchange` one request with its
response, as the application sees it, `connection` the protocol: parsing, order, deadlines and the end.
"""
