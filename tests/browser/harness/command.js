// Runs a WASI command module in the page; its output goes to window.lines.
import { Wasi } from '/host-shims/js/src/wasi.js';

/** Returns the exit status; a trap is status 134, as of a program that aborts. */
export async function runCommand(url, args = []) {
    const module = await WebAssembly.compileStreaming(fetch(url));
    const decoder = new TextDecoder();
    let rest = '';
    const write = (_fd, bytes) => {
        const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
        rest = lines.pop();
        window.lines.push(...lines);
        return bytes.length;
    };
    const wasi = new Wasi({ args: [url, ...args], write });
    const instance = await WebAssembly.instantiate(module, wasi.imports(module));
    try {
        return wasi.start(instance);
    } catch (error) {
        window.lines.push(`# ${error.message}`);
        return 134;
    } finally {
        if (rest) {
            window.lines.push(rest);
        }
    }
}
