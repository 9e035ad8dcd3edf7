// A module of wasm from its URL, in a page.

/** Streamed, or, where the server does not say application/wasm, from the bytes. */
export async function load(url) {
    const answer = await fetch(url);
    if (!answer.ok) {
        throw new Error(`${url}: ${answer.status} ${answer.statusText}`);
    }
    return answer.headers.get('content-type')?.startsWith('application/wasm')
        ? WebAssembly.compileStreaming(answer)
        : WebAssembly.compile(await answer.arrayBuffer());
}
