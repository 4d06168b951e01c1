"""
The obvious build: the same hops and features, put together from what the libraries offer first.

Litestar with its own session, limit, CSRF, compression, Prometheus, OpenTelemetry and structlog parts; two dependencies for
every handler; httpx between the services; Authsignal's SDK in threads; aiobotocore for Cognito and one SendMessage per event.
It has what the product has except idempotency keys, sealed state and the fault handling: whatever is missing makes it cheaper.
Server, event loop, garbage collector and share of sampled traces are those of the product.
"""
