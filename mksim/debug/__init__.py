"""For people who look inside a kernel."""
