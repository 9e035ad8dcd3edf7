// WASI preview 1 for command modules: as much of it as a program needs that has arguments,
// standard streams, clocks, and a few files to read.
import { Files } from './files.js';

const ERRNO_BADF = 8;
const ERRNO_FAULT = 21;
const ERRNO_NAMETOOLONG = 37;
const ERRNO_NOSYS = 52;
const ERRNO_SPIPE = 70;
const ERRNO_NOTCAPABLE = 76;

const STDERR = 2;
const ROOT = 3; // the one folder that is open, where there are files
const ROOT_NAME = new TextEncoder().encode('/');

const FILETYPE_CHARACTER_DEVICE = 2;
const FILETYPE_DIRECTORY = 3;
const FILETYPE_REGULAR_FILE = 4;
const RIGHT_FD_READ = 1n << 1n;
const RIGHT_FD_WRITE = 1n << 6n;
const RIGHTS_ALL = 0x1fffffffn;
const CLOCK_REALTIME = 0;
const RANDOM_BYTES_MAX = 65536; // of one getRandomValues

/** Thrown by proc_exit, to unwind the program. */
class Exit {
    constructor(code) {
        this.code = code;
    }
}

const isStream = (fd) => fd >= 0 && fd <= STDERR;

export class Wasi {
    #args;
    #env;
    #write;
    #read;
    #files;
    #memory;

    /** write(fd, bytes) and read(fd, bytes) return how many bytes they moved, or an errno as a
     *  negative number; without read there is no input.  files: names of those that may be
     *  read, and no others; open(name) opens one (files.js). */
    constructor({ args = [], env = {}, write, read = () => 0, files = [], open }) {
        const encode = (text) => new TextEncoder().encode(`${text}\0`);
        this.#args = args.map(encode);
        this.#env = Object.entries(env).map(([name, value]) => encode(`${name}=${value}`));
        this.#write = write;
        this.#read = read;
        this.#files = new Files(files, open);
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
        fd_close: (fd) => this.#close(fd),
        fd_fdstat_get: (fd, at) => this.#putFdstat(fd, at >>> 0),
        fd_fdstat_set_flags: () => 0,
        fd_prestat_get: (fd, at) => this.#putPrestat(fd, at >>> 0),
        fd_prestat_dir_name: (fd, at, len) => this.#putRootName(fd, at >>> 0, len >>> 0),
        fd_read: (fd, iovs, count, done) => this.#move(this.#source(fd), fd, iovs, count, done),
        fd_seek: (fd) => (this.#source(fd) ? ERRNO_SPIPE : ERRNO_BADF),
        fd_write: (fd, iovs, count, done) =>
            this.#move(isStream(fd) ? this.#write : undefined, fd, iovs, count, done),
        path_open: (fd, _lookup, at, len, how, rights, _inheriting, _flags, opened) =>
            this.#openFile(fd, at >>> 0, len >>> 0, how !== 0 || rights & RIGHT_FD_WRITE, opened),
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

    /** What libc may ask of files in the root is all, so that path_open sees what it wants. */
    #putFdstat(fd, at) {
        const [type, rights, inheriting] = this.#statOf(fd);
        if (type === undefined) {
            return ERRNO_BADF;
        }
        new Uint8Array(this.#memory.buffer, at, 24).fill(0);
        this.#view.setUint8(at, type);
        this.#view.setBigUint64(at + 8, rights, true);
        this.#view.setBigUint64(at + 16, inheriting, true);
        return 0;
    }

    #statOf(fd) {
        if (isStream(fd)) {
            return [FILETYPE_CHARACTER_DEVICE, RIGHTS_ALL, 0n];
        }
        if (this.#isRoot(fd)) {
            return [FILETYPE_DIRECTORY, RIGHTS_ALL, RIGHTS_ALL];
        }
        return this.#files.has(fd) ? [FILETYPE_REGULAR_FILE, RIGHT_FD_READ, 0n] : [];
    }

    #isRoot(fd) {
        return fd === ROOT && !this.#files.isEmpty;
    }

    #putPrestat(fd, at) {
        if (!this.#isRoot(fd)) {
            return ERRNO_BADF;
        }
        this.#view.setUint32(at, 0, true); // a folder
        this.#view.setUint32(at + 4, ROOT_NAME.length, true);
        return 0;
    }

    #putRootName(fd, at, len) {
        if (!this.#isRoot(fd)) {
            return ERRNO_BADF;
        }
        if (len < ROOT_NAME.length) {
            return ERRNO_NAMETOOLONG;
        }
        new Uint8Array(this.#memory.buffer).set(ROOT_NAME, at);
        return 0;
    }

    #openFile(folder, at, len, isToChange, opened) {
        if (!this.#isRoot(folder)) {
            return ERRNO_BADF;
        }
        if (isToChange) {
            return ERRNO_NOTCAPABLE;
        }
        const path = new TextDecoder().decode(new Uint8Array(this.#memory.buffer, at, len));
        const fd = this.#files.open(path);
        if (fd < 0) {
            return -fd;
        }
        this.#view.setUint32(opened >>> 0, fd, true);
        return 0;
    }

    #close(fd) {
        if (this.#files.has(fd)) {
            this.#files.close(fd);
            return 0;
        }
        return isStream(fd) ? 0 : ERRNO_BADF;
    }

    /** Where fd_read of a descriptor takes from. */
    #source(fd) {
        if (this.#files.has(fd)) {
            return (_fd, bytes) => this.#files.read(fd, bytes);
        }
        return isStream(fd) ? this.#read : undefined;
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
        if (!one) {
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
