"""Whatever completes code: one request, one answer, any model."""
