"""What the command line says about itself, besides its options."""

EXIT_CODES = """\
exit codes:
  0  every kernel ended as its config expects; of report: the run is the one that was recorded
  1  a kernel did not, there was a violation that the config does not expect, a run is not the one that was
     recorded, or output cannot be written
  2  the config, an image or the command line is wrong; nothing ran
  3  the limit was reached (--until, or machine.until)
  130  Ctrl-C before anything ran, or a second one; the first ends the run with its summary, and 1
"""

EXIT_CODES_ALONE = """\
exit codes of boot --kernel:
  odd                 what the kernel wrote to port 0xf4: (value << 1) | 1, as from QEMU's isa-debug-exit
  0                   it powered off
  2                   the image or the command line is wrong; nothing ran
  4                   the limit was reached (--until)
  6, 8, 10, 12        it reset itself, triple fault, machine check, asleep for good (halt)
  70, 74, 130         a bug in mksim, output that cannot be written, Ctrl-C
"""

COMPILING = "mksim: compiling native code; this happens once, and takes one or two minutes"

EXAMPLES = {
    "boot": """\
examples:
  mksim boot kernels/hello/config.toml
  mksim boot config.toml --seed 7 --until 10ms        at most 10 ms of virtual time
  mksim boot config.toml --until 5Minsn               at most 5 million instructions, all cores together
  mksim boot config.toml --console ping=ping.log --summary run.json --quiet
  mksim boot config.toml --trace run.pftrace          what happened, to look at on https://ui.perfetto.dev
  mksim boot config.toml --trace run.jsonl --trace-only message,crossing
  mksim boot config.toml --trust                      let violations happen, and record them
  mksim boot config.toml --record run.mk              write down what was run and how it went: see replay

one kernel by its path, alone on a board with the chips of a PC; its COM1 and port 0xe9 are standard output,
byte by byte, and all else goes to standard error:
  mksim boot --kernel vmlinuz --initrd initrd.img --cmdline "console=ttyS0 panic=-1" --cores 2 --memory 1G
  mksim boot --kernel test.elf --cmdline "verbose" --quiet > test.log; echo $?
  mksim boot --kernel kernel.elf --module "symbols.bin" --module "config.txt read only" --until 10s
""",
    "debug": """\
examples:
  mksim debug kernels/pingpong/config.toml            wait for gdb at port 1234, before the first instruction
  mksim debug config.toml --gdb unix:/tmp/mksim.gdb   at a Unix socket
  gdb -x gdb/commands                                 as told when it waits: attaches to all kernels at once
  mksim debug config.toml --prompt                    no gdb: commands are typed here; help lists them
  mksim debug config.toml --prompt < commands         or come from a file
  mksim boot config.toml --gdb 1234                   runs; gdb may attach, let go and come again
""",
    "replay": """\
examples:
  mksim replay run.mk                                 run it again; name the first thing that differs
  mksim replay run.mk --gdb 1234                      run it again under gdb
  mksim replay run.mk --prompt                        or under the debugger that needs none
  mksim replay run.mk --trace run.pftrace             run it again, and write what happens
""",
    "report": """\
examples:
  mksim boot config.toml --record run.mk              first write a run down
  mksim report run.mk -o run.html                     a page that holds all of it, to open in a browser
  mksim report run.mk -o run.html --scorecard card.json
""",
    "check": """\
examples:
  mksim check config.toml
  mksim check config.toml | grep ^kernel
""",
    "scorecard": """\
examples:
  mksim scorecard
  mksim scorecard --out card.svg                      a picture
  mksim scorecard --out card.json
""",
    "disasm": """\
examples:
  mksim disasm build/kernels/hello/hello.elf                  from its entry on
  mksim disasm build/kernels/hello/hello.elf --symbol main
  mksim disasm config.toml --kernel ping --start 0x200000 --count 10 --bits 32
""",
    "bench": """\
examples:
  mksim bench
  mksim bench ipi urpc                                only these
""",
}
