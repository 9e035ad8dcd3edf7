/* Fields in the headers of mail, wherever that came from: they need not be well-formed. */
#include "agent/kernel.h"

natlet_slice natlet__field_find(natlet_slice headers, natlet_slice name)
{
    natlet_slice line;
    natlet_slice part;

    while (natlet__cut(&headers, '\n', &line)) {
        if (natlet__cut(&line, ':', &part) && natlet__equal(part, name) &&
            natlet__cut(&line, '\r', &part)) {
            return natlet__trim(part);
        }
    }
    return (natlet_slice){0};
}
