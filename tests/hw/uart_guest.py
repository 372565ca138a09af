"""The 16550A from the guest's side: registers by their offsets, as a driver writes them."""

from mksim.hw import uart16550

DATA, IER, IIR, FCR, LCR, MCR, LSR, MSR, SCR = 0, 1, 2, 2, 3, 4, 5, 6, 7
OUT2, LOOP, DLAB = 0x08, 0x10, 0x80


def read(u, offset):
    return int(uart16550.read(u, offset, 0))


def write(u, offset, value, now=0):
    return int(uart16550.write(u, offset, value, now))


def receive(u, byte, now=0):
    return bool(uart16550.receive(u, byte, now))
