"""Sources: verify what a CDP sent, and decode it to messages."""
