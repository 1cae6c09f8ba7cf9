"""Other people's judgement of core.graphql: `make audit`.

npm's `graphql-http` asks a server what its specification demands, and npm's `graphql-ws` subscribes to it as programs do.
"""
