// The kernel that the rogue is after, and (as "bystander") one that it does not even name. Both watch their
// memory and their interrupts until the rogue is done. Claims that nothing was done to it; with `trust` it
// only says what was.
#include "board.h"

int main(void) {
    struct board *board = board_window();
    u32 changes = 0, looks = 0;
    expect_nobody();
    secret_write();
    if (!board->tables)
        board->tables = physical(pml4);
    fetch_add(&board->ready, 1);
    for (bool done = false; !done; looks++) {
        done = load_acquire(&board->done);
        changes += secret_changes();
        take_interrupts();
    }
    print("looked %u times: %u words changed, %u uninvited interrupts, %u NMIs\n", looks, changes, uninvited, nmis);
    if (pml4[UNUSED])
        print("my page tables have an entry that I did not write\n");
    CHECK(option("trust") || !pml4[UNUSED]);
    CHECK(option("trust") || changes + uninvited + nmis == 0);
    return 0;
}
