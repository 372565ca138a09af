"""mksim as a library: a machine to build, run, look at, disturb and put back from Python."""
