"""The services of the server, area by area, connected with each other.

One module is one area: a class with its services, whose `of` creates them from the areas before it and does
no other work. `services.py` has the order; what several areas use is in `base.py`. To add a service, create
it in the module of its area, and give it to what uses it: routes in `web.py`, pages in `console.py`, the work
beside requests in `background.py`, what follows new settings in `reloading.py`.

It may import all but `app`, `server` and `cli`. It reads no clock and has no closure.
"""
