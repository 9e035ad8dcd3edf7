#include "platform/stack.h"

#include <stdint.h>

/* Written and read by the assembly below, and by nothing else: a C variable in
 * between would give these functions frames of their own at -O0. */
__attribute__((used)) uint32_t natlet__marked_stack;

void natlet__stack_mark(void)
{
    __asm__ volatile(".globaltype __stack_pointer, i32\n"
                     "i32.const natlet__marked_stack\n"
                     "global.get __stack_pointer\n"
                     "i32.store 0");
}

void natlet__stack_reset(void)
{
    __asm__ volatile("i32.const natlet__marked_stack\n"
                     "i32.load 0\n"
                     "global.set __stack_pointer");
}
