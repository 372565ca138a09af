// Talks to bob, then waits until everybody is done, and checks that her memory is as she left it.
#include "showcase.h"

static volatile u64 diary[1024];

int main(void) {
    struct plaza *p = plaza();
    struct doorbell bob = doorbell_to("bob");
    trap_handler(doorbell_from("bob").vector, awake);
    print("I am a kernel. Core %u and the memory at %#lx are mine; below me is only hardware.\n", lapic_id(), home());
    for (u32 i = 0; i < 1024; i++)
        diary[i] = i * i;
    p->diary = physical(diary);
    const char *question = "Is anybody else on this machine?";
    print("to bob, through shared memory and an interrupt: \"%s\"\n", question);
    u64 start = rdtsc();
    say(&p->question, bob, question);
    struct message answer = hear(&p->answer);
    print("bob answers after %lu ns: \"%s\"\n", (rdtsc() - start) * 1000 / (tsc_hz / 1000000), (char *)&answer);
    wait_turn(p, THE_END);
    bool intact = true;
    for (u32 i = 0; i < 1024; i++)
        intact &= diary[i] == i * i;
    print("All have had their turn, and my diary is %s.\n", intact ? "as I wrote it" : "not as I wrote it");
    return !intact;
}
