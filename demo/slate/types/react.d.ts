// What the hooks use of React, for a check of types that needs no other package.  An application
// has @types/react in its place.
declare module 'react' {
    export type ReactNode = object | string | number | boolean | null | undefined;
    type Component<P> = (props: P) => ReactNode;
    type Cleanup = void | (() => void);
    export interface Context<T> {
        Provider: Component<{ value: T; children?: ReactNode }>;
    }
    export function createContext<T>(value: T): Context<T>;
    export function createElement<P extends object>(
        type: Component<P>,
        props?: P | null,
        ...children: ReactNode[]
    ): ReactNode;
    export function useCallback<F extends Function>(callback: F, deps: readonly unknown[]): F;
    export function useContext<T>(context: Context<T>): T;
    export function useEffect(effect: () => Cleanup, deps?: readonly unknown[]): void;
    export function useMemo<T>(make: () => T, deps: readonly unknown[]): T;
    export function useRef<T>(value: T): { current: T };
    export function useState<T>(
        initial: T | (() => T),
    ): [T, (next: T | ((now: T) => T)) => void];
}
