"""Events of the outbox as customer data platforms take them: a name, and flat properties.

`names` makes the names, `properties` the properties, and `halving` sends a batch of which the receiver
refuses a part. It may import the model. A property is added in `properties`, for all platforms at once.
"""
