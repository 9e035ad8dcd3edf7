// natlet.debug: lines for people, one for each change.

function isWanted() {
    try {
        const { process, localStorage } = globalThis;
        return process?.env?.NATLET_DEBUG || localStorage?.getItem('natlet.debug');
    } catch {
        return false; // a page without storage
    }
}

/** Where debug lines go: a function of the caller's, the console, or nowhere.  Left out, the
 *  environment's NATLET_DEBUG or the page's localStorage "natlet.debug" decides. */
export function debugSink(option = isWanted()) {
    if (typeof option === 'function') {
        return option;
    }
    return option ? (line) => console.debug(`natlet: ${line}`) : () => {};
}
