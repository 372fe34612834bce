"""JSON in and JSON out, by subject. OpenAPI is made from these: a field that is not here does not exist for clients."""
