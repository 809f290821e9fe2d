"""mParticle: Webhook output, Events API, Firehose, as messages.

`batches` decodes, `batch_context` says what a batch says for all its events, `events` and `identities` use
the words of mappings, `firehose` is the protocol of partner modules. It may import
`adapter.sources.payloads` and the model.
"""
