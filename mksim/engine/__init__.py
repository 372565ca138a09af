"""The only place that knows Unicorn: the CPU, its hidden state, and the native hooks that complete it."""
