// Works on while its neighbour dies and comes back. Claims that its own work comes out right, that it never
// started anew, and that it saw the neighbour go on after its death.
#include "panic.h"

int main(void) {
    struct progress *all = progress_window(), *mine = &all[kernel_id];
    u64 fragile = option_number("fragile", 0);
    CHECK(++mine->lives == 1);
    while (mine->links < LINKS)
        work(mine);
    CHECK(mine->chain == whole_chain());
    print("all %u links done; the fragile one is at %lu, in life %lu\n", LINKS, all[fragile].links, all[fragile].lives);
    while (load_acquire(&all[fragile].links) < LINKS)
        pause();
    CHECK(all[fragile].lives == 2);
    print("now it is done as well, in life %lu\n", all[fragile].lives);
    return 0;
}
