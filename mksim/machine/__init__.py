"""From a config to a machine that runs: the parts list, a kernel's life, the run loop, snapshots."""
