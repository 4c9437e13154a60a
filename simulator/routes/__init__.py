"""The operations of the API, one module per part of the contract. Each has a `ROUTES` list."""
