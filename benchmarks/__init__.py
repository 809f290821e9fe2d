"""Side by side with the peer, in one run, as a ratio."""
