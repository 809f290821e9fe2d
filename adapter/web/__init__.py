"""HTTP only: parse, authorise, call one service, render.

`routes` is the table of all routes; each API module lists its own in `ROUTES`, and Starlette, the endpoints
of ingest and OpenAPI follow from it. `application` serves them. This package may import the services and what
is below them; only `app` and `server` import it.

To add a route, write its handler in an API module (`discounts_api`, `customers_api`, `operator_api`, or a new
one) and add its entry to the `ROUTES` there; name a new module in `routes`. docs/http.md needs its heading.
"""
