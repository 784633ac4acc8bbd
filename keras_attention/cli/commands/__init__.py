"""What each command does: a module each, with a `run` of its options."""
