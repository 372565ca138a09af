// How a kernel sees memory.
//
//   physical                              virtual
//   0 .. 4 GiB, all there is        ->    IDENTITY (0)         read and execute: start-up, trampolines
//   the same                        ->    DIRECT               read and write, never execute: windows,
//                                                              tables, device registers
//   where the image was loaded      ->    KERNBASE + IMAGE     text r-x, constants r--, all else rw-
//
// Both aliases of physical memory share one set of page tables; the rights come from the top level
// (SDM vol. 3A, 5.6: the rights of a translation are those that all levels grant). Data is never
// executable: under an emulator that translates code, that is also what keeps stores fast.
#pragma once

#define IDENTITY  0
#define DIRECT    0xffff800000000000
#define KERNBASE  0xffffffff80000000
#define IMAGE     0x200000              // link address above KERNBASE; also the alignment of the load address

#define PAGE      4096
#define STACK     8192                  // of one core

// Page table entry bits, SDM vol. 3A, 5.5.4.
#define PTE_P     0x01                  // present
#define PTE_W     0x02                  // writable
#define PTE_U     0x04                  // ring 3 may use it
#define PTE_PS    0x80                  // a 2 MiB page
#define PTE_NX    (1ull << 63)

// Selectors, in the order that SYSCALL and SYSRET want (SDM vol. 3A, 6.8.8).
#define KCODE     0x08
#define KDATA     0x10
#define UDATA     0x20
#define UCODE     0x28
#define TSS       0x30                  // two slots
#define SPARE     0x40                  // a segment that is never present, for tests
#define GDT_SLOTS 9

// Interrupt stacks, by number in the TSS; the core's ring 0 entry stack follows them.
#define IST_DF    1
#define IST_NMI   2
#define IST_MC    3
#define TRAP_STACKS 4

#define NCPU      16                    // cores of one kernel, at most
