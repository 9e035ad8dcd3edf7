// WASI preview 1 for command modules: as much of it as a program needs that has arguments,
// standard streams and clocks, and no files.

const ERRNO_BADF = 8;
const ERRNO_FAULT = 21;
const ERRNO_NOSYS = 52;
const ERRNO_SPIPE = 70;

const FILETYPE_CHARACTER_DEVICE = 2;
const RIGHTS_ALL = 0x1fffffffn;
const CLOCK_REALTIME = 0;
const RANDOM_BYTES_MAX = 65536; // of one getRandomValues

/** Thrown by proc_exit, to unwind the program. */
class Exit {
    constructor(code) {
        this.code = code;
    }
}

export class Wasi {
    #args;
    #env;
    #write;
    #read;
    #memory;

    /** write(fd, bytes) and read(fd, bytes) return how many bytes they moved, or an errno as a
     *  negative number; without read there is no input. */
    constructor({ args = [], env = {}, write, read = () => 0 }) {
        const encode = (text) => new TextEncoder().encode(`${text}\0`);
        this.#args = args.map(encode);
        this.#env = Object.entries(env).map(([name, value]) => encode(`${name}=${value}`));
        this.#write = write;
        this.#read = read;
    }

    /** The functions that `module` imports; what is not here answers ENOSYS. */
    imports(module) {
        const wanted = WebAssembly.Module.imports(module)
            .filter((entry) => entry.module === 'wasi_snapshot_preview1')
            .map(({ name }) => [name, this.#guarded(this.#functions[name])]);
        return { wasi_snapshot_preview1: Object.fromEntries(wanted) };
    }

    /** Runs the program to its end; returns its exit status. */
    start(instance) {
        this.#memory = instance.exports.memory;
        try {
            instance.exports._start();
        } catch (thrown) {
            if (thrown instanceof Exit) {
                return thrown.code;
            }
            throw thrown;
        }
        return 0;
    }

    /** An address outside of the memory is the program's mistake, not ours. */
    #guarded(serve) {
        return (...args) => {
            try {
                return serve ? serve(...args) : ERRNO_NOSYS;
            } catch (error) {
                if (error instanceof RangeError) {
                    return ERRNO_FAULT;
                }
                throw error;
            }
        };
    }

    get #view() {
        return new DataView(this.#memory.buffer);
    }

    #functions = {
        args_sizes_get: (count, bytes) => this.#putSizes(this.#args, count, bytes),
        args_get: (table, at) => this.#putStrings(this.#args, table >>> 0, at >>> 0),
        environ_sizes_get: (count, bytes) => this.#putSizes(this.#env, count, bytes),
        environ_get: (table, at) => this.#putStrings(this.#env, table >>> 0, at >>> 0),
        clock_res_get: (_id, at) => this.#putNanoseconds(0.001, at),
        clock_time_get: (id, _precision, at) =>
            this.#putNanoseconds(id === CLOCK_REALTIME ? Date.now() : performance.now(), at),
        fd_close: (fd) => (fd <= 2 ? 0 : ERRNO_BADF),
        fd_fdstat_get: (fd, at) => this.#putFdstat(fd, at >>> 0),
        fd_fdstat_set_flags: () => 0,
        fd_prestat_get: () => ERRNO_BADF, // no folder is open
        fd_prestat_dir_name: () => ERRNO_BADF,
        fd_read: (fd, iovs, count, done) => this.#move(this.#read, fd, iovs, count, done),
        fd_seek: (fd) => (fd <= 2 ? ERRNO_SPIPE : ERRNO_BADF),
        fd_write: (fd, iovs, count, done) => this.#move(this.#write, fd, iovs, count, done),
        proc_exit: (code) => {
            throw new Exit(code >>> 0);
        },
        random_get: (at, len) => this.#putRandom(at >>> 0, len >>> 0),
        sched_yield: () => 0,
    };

    #putSizes(strings, count, bytes) {
        const sum = strings.reduce((total, text) => total + text.length, 0);
        this.#view.setUint32(count >>> 0, strings.length, true);
        this.#view.setUint32(bytes >>> 0, sum, true);
        return 0;
    }

    #putStrings(strings, table, at) {
        const memory = new Uint8Array(this.#memory.buffer);
        strings.forEach((text, i) => {
            this.#view.setUint32(table + 4 * i, at, true);
            memory.set(text, at);
            at += text.length;
        });
        return 0;
    }

    #putNanoseconds(ms, at) {
        this.#view.setBigUint64(at >>> 0, BigInt(Math.round(ms * 1e6)), true);
        return 0;
    }

    #putFdstat(fd, at) {
        if (fd > 2) {
            return ERRNO_BADF;
        }
        new Uint8Array(this.#memory.buffer, at, 24).fill(0);
        this.#view.setUint8(at, FILETYPE_CHARACTER_DEVICE);
        this.#view.setBigUint64(at + 8, RIGHTS_ALL, true);
        return 0;
    }

    #putRandom(at, len) {
        for (let from = 0; from < len; from += RANDOM_BYTES_MAX) {
            const part = Math.min(len - from, RANDOM_BYTES_MAX);
            crypto.getRandomValues(new Uint8Array(this.#memory.buffer, at + from, part));
        }
        return 0;
    }

    /** Scatter and gather: as much as `one` moves, until it moves less than asked. */
    #move(one, fd, iovs, count, done) {
        let sum = 0;
        if (fd < 0 || fd > 2) {
            return ERRNO_BADF;
        }
        for (let i = 0; i < count; i++) {
            const at = (iovs >>> 0) + 8 * i;
            const len = this.#view.getUint32(at + 4, true);
            const start = this.#view.getUint32(at, true);
            const moved = one(fd, new Uint8Array(this.#memory.buffer, start, len));
            if (moved < 0) {
                return -moved;
            }
            sum += moved;
            if (moved < len) {
                break;
            }
        }
        this.#view.setUint32(done >>> 0, sum, true);
        return 0;
    }
}
