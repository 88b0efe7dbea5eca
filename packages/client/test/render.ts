/** Components where there is no page: the least of a document that React asks for. */
import { createElement, type ReactElement } from "react";
import { createRoot } from "react-dom/client";

const nothing = (): void => undefined;

/** What a hook gave at its last rendering, and the end of the component that calls it. */
export interface Rendered<T> {
  readonly current: T;
  readonly unmount: () => void;
}

/** Renders a component that only calls `use`, again whenever what it gives changes; `around` gives what it stands in. */
export async function render<T>(use: () => T, around = (child: ReactElement): ReactElement => child): Promise<Rendered<T>> {
  // React looks at the event under way, and whether the focused element is in a frame; there are none. The
  // rest is PGlite's, which looks where the page lies.
  const window = { event: undefined, HTMLIFrameElement: class {}, location: { pathname: "/" }, encodeURIComponent };
  Object.assign(globalThis, { window });
  const document = {
    nodeType: 9, nodeName: "#document", activeElement: null, defaultView: window,
    addEventListener: nothing, removeEventListener: nothing,
  };
  const container = {
    nodeType: 1, nodeName: "DIV", tagName: "DIV", namespaceURI: "http://www.w3.org/1999/xhtml", textContent: "",
    ownerDocument: document, addEventListener: nothing, removeEventListener: nothing,
  };
  const root = createRoot(container as unknown as Element);
  let given: { value: T } | undefined;
  const failed = await new Promise<unknown>((resolve) => {
    const Component = (): null => {
      try {
        given = { value: use() };
        resolve(undefined);
      } catch (error) {
        resolve(error);
      }
      return null;
    };
    root.render(around(createElement(Component)));
  });
  if (failed !== undefined) throw failed;
  return {
    get current() {
      return given!.value;
    },
    unmount: () => root.unmount(),
  };
}
