"""Rules: pure evaluation of events against what marketers wrote."""
