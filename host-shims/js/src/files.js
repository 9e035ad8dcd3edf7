// The files that a command module may read: those on a list, and nothing else.
//
// The module sees one open folder, the root.  wasi-libc asks below it for absolute and relative
// paths alike, without what they begin with ("/", "./").  A path is compared with the list as
// text, so that "..", folders and links lead nowhere, and what is opened is what the list says.

const ERRNO_NOTCAPABLE = 76;
const FIRST_FD = 4; // behind the streams and the root

const bare = (name) => name.replace(/^(\.?\/+)+/, '');

export class Files {
    #names;
    #open;
    #held = new Map(); // by descriptor

    /** open(name) returns { read(bytes), close() }, where read works as that of Wasi, or an
     *  errno as a negative number.  Of two names that a module cannot tell apart, "/a" and "a",
     *  the first one counts. */
    constructor(names, open) {
        const entries = names.filter(Boolean).map((name) => [bare(name), name]);
        this.#names = new Map(entries.reverse());
        this.#open = open;
    }

    get isEmpty() {
        return this.#names.size === 0;
    }

    /** Returns a descriptor, or an errno as a negative number. */
    open(path) {
        const name = this.#names.get(bare(path));
        if (name === undefined) {
            return -ERRNO_NOTCAPABLE;
        }
        const file = this.#open(name);
        if (typeof file === 'number') {
            return file;
        }
        let fd = FIRST_FD;
        while (this.#held.has(fd)) {
            fd++;
        }
        this.#held.set(fd, file);
        return fd;
    }

    has(fd) {
        return this.#held.has(fd);
    }

    read(fd, bytes) {
        return this.#held.get(fd).read(bytes);
    }

    close(fd) {
        this.#held.get(fd).close();
        this.#held.delete(fd);
    }
}
