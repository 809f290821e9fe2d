"""The console: pages for the people who run, edit and support the adapter, in the server's own process.

`page` has the records of pages and acts, `pages/` a module for each screen, `templates/` and `static/` what
the browser gets, `access/` who may sign in, `serving` and `acting` what happens around a page and an act. To
add a page, write its module with `PAGES` and `ACTIONS` and its template, and name it in `pages/__init__.py`:
the navigation, the JSON twin, the audit log and the tests of all pages follow. May import the web and the
services.
"""
