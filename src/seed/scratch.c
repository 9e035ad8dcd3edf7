#include "seed/scratch.h"

static void cut(natlet_cell *cell, natlet__tie *tie)
{
    natlet__pool_give_back(&cell->pool, tie);
}

natlet__scratch *natlet__scratch_take(natlet_cell *cell, size_t bytes)
{
    uint32_t was = natlet__lock(cell);
    natlet__scratch *scratch = natlet__pool_take(&cell->pool, sizeof *scratch + bytes);

    if (scratch != NULL) {
        scratch->tie = (natlet__tie){.cut = cut};
        natlet__list_put(cell->running->waits.next, &scratch->tie.link);
    }
    natlet__unlock(cell, was);
    return scratch;
}

void natlet__scratch_give_back(natlet_cell *cell, natlet__scratch *scratch)
{
    if (scratch == NULL) {
        return;
    }
    uint32_t was = natlet__lock(cell);
    natlet__list_cut(&scratch->tie.link);
    cut(cell, &scratch->tie);
    natlet__unlock(cell, was);
}
