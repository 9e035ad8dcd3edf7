// <natlet-status>: what a cell is doing, for people.  Importing this file defines the element;
// its property `cell` is what createCell() gave.  All text is set as text, and the style is a
// sheet of its own, so a strict Content-Security-Policy is no obstacle.

const TICK_MS = 1000;

const STYLE = `
:host { display: block; font: 13px/1.5 system-ui, sans-serif; }
p, ul { margin: 0; padding: 0; }
ul ul { padding-left: 1.2em; }
li { list-style: none; }
.open, .running { color: #17692f; }
.connecting, .reconnecting, .starting, .backoff, .restarting { color: #8a5a00; }
.closed, .down, .exited, .gone { color: #a1260d; }
.letter { color: #a1260d; }`;

let sheet; // one for all panels

function styleSheet() {
    if (!sheet) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE);
    }
    return sheet;
}

function element(name, text = '', className = '') {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = className;
    return made;
}

function lineOf({ id, state, restarts, queued, handled, lastExit }) {
    const exit = lastExit ? `, last exit ${lastExit.kind}` : '';
    const line = element('li', `${id}: `);
    line.append(
        element('span', state, state),
        ` (${handled} handled, ${queued} queued, ${restarts} restarts${exit})`,
    );
    return line;
}

function treeOf(supervisors) {
    const list = element('ul');
    for (const { strategy, children } of supervisors) {
        const below = element('ul');
        below.append(...children.map(lineOf));
        const line = element('li', strategy);
        line.append(below);
        list.append(line);
    }
    return list;
}

// Where there are no elements, as on a server that renders pages, nothing is defined.
class NatletStatus extends (globalThis.HTMLElement ?? Object) {
    #cell;
    #ends = [];
    #isDrawing = false;

    constructor() {
        super();
        this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [styleSheet()];
    }

    get cell() {
        return this.#cell;
    }

    set cell(cell) {
        this.#stop();
        this.#cell = cell;
        if (this.isConnected) {
            this.#start();
        }
    }

    connectedCallback() {
        this.#start();
    }

    disconnectedCallback() {
        this.#stop();
    }

    #start() {
        const cell = this.#cell;
        if (!cell) {
            return;
        }
        const draw = () => this.#draw(cell);
        const timer = setInterval(draw, TICK_MS);
        this.#ends = [
            cell.status.subscribe(draw),
            cell.deadLetters.subscribe(draw),
            () => clearInterval(timer),
        ];
        draw();
    }

    #stop() {
        this.#ends.splice(0).forEach((end) => end());
    }

    /** What changes meanwhile is drawn with the next tick. */
    async #draw(cell) {
        if (this.#isDrawing) {
            return;
        }
        this.#isDrawing = true;
        let supervisors = [];
        try {
            supervisors = cell.state === 'open' ? await cell.tree() : [];
        } catch {
            // it closed meanwhile
        }
        this.#isDrawing = false;
        if (this.#cell === cell) {
            this.#show(cell, supervisors);
        }
    }

    #show(cell, supervisors) {
        const status = cell.status.get();
        const { sent, refused, dead, restarts, replacements } = cell.stats;
        const head = element('p', 'connection: ');
        head.append(element('span', status, status));
        const counts = `sent ${sent}, refused ${refused}, dead letters ${dead}, restarts ${restarts}, hubs replaced ${replacements}`;
        const letter = cell.deadLetters.last().at(-1);
        const last = letter ? `last dead letter: ${letter.agent}: ${letter.reason}` : '';
        this.shadowRoot.replaceChildren(
            head,
            element('p', counts),
            treeOf(supervisors),
            element('p', last, 'letter'),
        );
    }
}

if (globalThis.customElements && !customElements.get('natlet-status')) {
    customElements.define('natlet-status', NatletStatus);
}
