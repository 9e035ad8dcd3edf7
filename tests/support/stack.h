/* Looks at the part of the stack that calls which have returned have used.
 *
 * Memory below the caller's frame is nobody's in C, so it is read through numbers
 * and volatile.  AddressSanitizer moves frames elsewhere: there it is not defined. */
#ifndef STACK_H
#define STACK_H

#include "support/test.h"

#if defined(__SANITIZE_ADDRESS__)
#define STACK_IS_HIDDEN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_IS_HIDDEN
#endif
#endif

#ifndef STACK_IS_HIDDEN
#define STACK_IS_VISIBLE

/* Far more than anything under test uses, far less than any stack has. */
enum { STACK_SEEN = 24576, STACK_PAINT = 0xa5 };

/* Variables of what paints and looks must lie above: in the caller's frame. */
#define STACK_INLINE __attribute__((always_inline)) static inline

/* Makes the compiler believe that somebody reads `mem`. */
static inline void stack_touch(const void *mem)
{
    __asm__ __volatile__("" : : "r"(mem) : "memory");
}

/* The lowest address that is looked at: by the frame of whoever calls. */
__attribute__((noinline)) static uintptr_t stack_bottom(void)
{
    uint8_t here[16] = {0};

    stack_touch(here);
    return (uintptr_t)here - STACK_SEEN;
}

STACK_INLINE volatile uint8_t *stack_at(uintptr_t address)
{
    return (volatile uint8_t *)address;
}

/* Fills what lies below with the paint. */
STACK_INLINE void stack_paint(void)
{
    uintptr_t bottom = stack_bottom();

    for (uintptr_t i = 0; i < STACK_SEEN; i++) {
        *stack_at(bottom + i) = STACK_PAINT;
    }
}

/* Whether `len` bytes of `secret` lie below. */
STACK_INLINE int stack_finds(const uint8_t *secret, size_t len)
{
    uintptr_t bottom = stack_bottom();

    for (uintptr_t i = 0; i + len <= STACK_SEEN; i++) {
        size_t same = 0;
        while (same < len && *stack_at(bottom + i + same) == secret[same]) {
            same++;
        }
        if (same == len) {
            return 1;
        }
    }
    return 0;
}

/* How many bytes from the top the paint is gone, and how many of them are neither
 * paint nor zero. */
STACK_INLINE size_t stack_depth(size_t *kept)
{
    uintptr_t bottom = stack_bottom();
    size_t depth = 0;

    *kept = 0;
    for (uintptr_t i = 0; i < STACK_SEEN; i++) {
        uint8_t c = *stack_at(bottom + i);
        if (c != STACK_PAINT && depth == 0) {
            depth = STACK_SEEN - i;
        }
        *kept += c != STACK_PAINT && c != 0;
    }
    return depth;
}

#endif
#endif
