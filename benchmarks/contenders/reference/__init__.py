"""
The reference: bare Litestar and aiohttp doing the very hops of a sign-in, with the same bodies, and nothing else.

No middleware, no audit, no sessions, no limits, no signatures, no checks. Server, event loop and garbage collector are those
of the product, so that the ratio says what all that the product adds costs.
"""
