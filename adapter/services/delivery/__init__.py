"""What leaves: due deliveries are leased from the outbox, sent, and their attempts recorded.

`dispatcher` finds due deliveries, `destination_worker` sends those of one destination, `retries` makes them
due again. It may import `adapter.destinations` and the store's contract. A new destination is registered in
`adapter.destinations`; nothing changes here.
"""
