"""The parts of typed handlers; `core.params` is their public face, and turns what a handler returns into a response.

`markers` are what a handler's annotations carry, `signature` reads a function once, `plan` compiles and runs the calls,
`inputs` and `submitted` read and validate a request.
"""
