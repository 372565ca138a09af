"""Intel VT-d: invalidation, by registers and by queue. Revision 3.3, § 6.5 and 10.4.7 to 10.4.8.

It is done as soon as it is asked for. All arguments are int64.
"""

import numpy as np

from mksim.compiled import native
from mksim.hw import vtd_caches as caches
from mksim.hw.vtd_core import complete, on, tell, wide_register
from mksim.hw.vtd_walk import fetch, reachable
from mksim.spec import vtd as spec
from mksim.spec import vtd_tables as tables

IDLE, DONE, STATUS = range(3)
_NONE = -1
_IQH, _IQT = spec.IQH_REG >> 2, spec.IQT_REG >> 2


@native
def command_contexts(u: np.void) -> None:
    """Do what CCMD_REG asks for, and say so in it (§ 10.4.7); by queue, registers do nothing."""
    word = (spec.CCMD_REG >> 2) + 1
    low, high = u["words"][word - 1], u["words"][word]
    asked, domain, source = high >> 29 & 3, low & tables.DID, low >> 16 & 0xFFFF
    actual = 0 if on(u, spec.QIE) else asked
    if actual == spec.ALL:
        caches.forget_contexts(u, _NONE, _NONE, 0)
    elif actual == spec.DOMAIN:
        caches.forget_contexts(u, domain, _NONE, 0)
    elif actual == spec.SELECTIVE:
        caches.forget_contexts(u, domain, source, high & 3)
    u["words"][word] = high & ~(spec.ICC | 3 << spec.CAIG_SHIFT) | actual << spec.CAIG_SHIFT


@native
def command_pages(u: np.void) -> None:
    """Do what IOTLB_REG asks for, and say so in it (§ 10.4.8.1)."""
    word = (spec.IOTLB_REG >> 2) + 1
    high, at = u["words"][word], wide_register(u, spec.IVA_REG)
    asked, domain = high >> 28 & 3, high & tables.DID
    actual = 0 if on(u, spec.QIE) else asked
    if actual == spec.SELECTIVE and at & spec.AM > spec.MAMV:
        actual = spec.DOMAIN
    if actual != 0:
        forget_pages(u, actual, domain, at)
    u["words"][word] = high & ~(spec.IVT | 3 << spec.IAIG_SHIFT) | actual << spec.IAIG_SHIFT


@native
def forget_pages(u: np.void, granularity: int, domain: int, at: int) -> None:
    """Forget translations: all, of a domain, or of pages as IVA_REG names them."""
    if granularity == spec.ALL:
        caches.forget_pages(u, _NONE, _NONE, 0)
    elif granularity == spec.DOMAIN:
        caches.forget_pages(u, domain, _NONE, 0)
    else:
        caches.forget_pages(u, domain, at & spec.ADDRESS, at & spec.AM)


@native
def step(u: np.void, memory: np.ndarray, readable: np.ndarray) -> int:
    """Do the next descriptor of the queue; STATUS: and write `status_data` to `status_address`.

    IDLE: there is none, or the queue has stopped at one that makes no sense.
    """
    head, tail = u["words"][_IQH], u["words"][_IQT]
    if not on(u, spec.QIE) or u["words"][spec.FSTS_REG >> 2] & spec.IQE or head == tail:
        return IDLE
    queue = wide_register(u, spec.IQA_REG)
    size = tables.ENTRY << ((queue & spec.QS) + 8)
    where = (queue & spec.ADDRESS) + head
    if max(head, tail) >= size or not reachable(memory, readable, where):
        tell(u, spec.IQE)
        return IDLE
    done = do(u, fetch(memory, where), fetch(memory, where + 8))
    if done == IDLE:
        tell(u, spec.IQE)
    else:
        u["words"][_IQH] = (head + tables.ENTRY) % size
    return done


@native
def do(u: np.void, low: int, high: int) -> int:
    """Do one descriptor; IDLE if it makes no sense."""
    kind, granularity = low & tables.KIND, low >> tables.GRANULARITY_SHIFT & 3
    domain = low >> tables.Q_DID_SHIFT & tables.DID
    if kind == tables.OF_CONTEXT and granularity != 0:
        source = low >> tables.Q_SID_SHIFT & 0xFFFF if granularity == spec.SELECTIVE else np.int64(_NONE)
        whose = domain if granularity != spec.ALL else np.int64(_NONE)
        caches.forget_contexts(u, whose, source, low >> tables.Q_FM_SHIFT & 3)
        return DONE
    if kind == tables.OF_IOTLB and granularity != 0:
        if granularity == spec.SELECTIVE and high & spec.AM > spec.MAMV:
            return IDLE
        forget_pages(u, granularity, domain, high)
        return DONE
    if kind == tables.OF_INTERRUPTS:
        index = low >> tables.Q_INDEX_SHIFT & 0xFFFF if granularity & 1 else np.int64(_NONE)
        caches.forget_interrupts(u, index, low >> tables.Q_INDEX_MASK_SHIFT & 0x1F)
        return DONE
    return wait(u, low, high) if kind == tables.WAIT else IDLE


@native
def wait(u: np.void, low: int, high: int) -> int:
    """Do a wait descriptor: all before it is done (§ 6.5.2.8)."""
    if low & tables.WAIT_INTERRUPT:
        complete(u)
    if not low & tables.WAIT_STATUS:
        return DONE
    u["status_address"] = high & ~3
    u["status_data"] = low >> tables.WAIT_DATA_SHIFT & 0xFFFFFFFF
    return STATUS
