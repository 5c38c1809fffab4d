"""Listen-only channels: heard through files or the API, answered by a person's own hand."""
