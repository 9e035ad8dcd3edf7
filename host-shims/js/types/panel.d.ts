// <natlet-status>: importing natlet/panel defines the element.
import type { Cell } from './agents.js';

export interface NatletStatusElement {
    cell?: Cell;
}
declare global {
    interface HTMLElementTagNameMap {
        'natlet-status': HTMLElement & NatletStatusElement;
    }
}
