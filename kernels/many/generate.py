"""Print config.toml of this scenario: `python kernels/many/generate.py [KERNELS] > config.toml`."""

import sys

HEAD = """# {count} kernels on {count} cores, all from one image, in a circle. Written by generate.py.
#
# Claims: all of them come up; each talks to its neighbours through a window of its own and a doorbell; each
# one's token comes home with everybody's mark.

[machine]
memory = "{memory}M"
cores = {count}
latency = "1us"
"""

KERNEL = """
[kernel.{name}]
image = "../../build/kernels/many/neighbour.elf"
cores = 1
memory = "4M"
cmdline = "kernels={count} left={left} right={right}"

[[window]]
name = "{name}"
memory = "4K"
rights = {{ {name} = "rw", {right} = "rw" }}

[[doorbell]]
from = "{name}"
to = "{right}"
vector = 0x40
"""


def config(count: int) -> str:
    """Return the TOML text for a circle of `count` kernels."""
    names = [f"k{i:02}" for i in range(count)]
    kernels = (
        KERNEL.format(name=name, count=count, left=names[i - 1], right=names[(i + 1) % count])
        for i, name in enumerate(names)
    )
    return HEAD.format(count=count, memory=4 * count + 16) + "".join(kernels)


if __name__ == "__main__":
    print(config(int(sys.argv[1]) if len(sys.argv) > 1 else 64), end="")
