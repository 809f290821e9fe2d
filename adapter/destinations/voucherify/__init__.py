"""Voucherify (https://docs.voucherify.io, API version v2018-08-01): issued codes, customers and events.

benefits       what the action of a discount is there
plans          what is stored of a delivery: the calls to make
rendering      a delivery to its plan
api            one call over HTTP, and its reply
verdicts       what a reply means for the delivery
carrying_out   makes the calls of a plan
destination    the destination, and how it is built from its settings
"""
