"""Many authors' posts about one thing, gathered as they arrive, with one answer that is varied for each."""
