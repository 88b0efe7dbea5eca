import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** What the page and the packages beside this one must have one copy of. */
const SHARED = ["react", "react-dom", "@electric-sql/client", "@electric-sql/pglite", "@tanstack/db", "@tanstack/react-db", "@tanstack/react-query"];

/**
 * Writes the service worker that keeps the built page at hand, so that it opens without a connection.
 * Its text names every file of the build: another build is another worker.
 */
function offlinePage(): Plugin {
  return {
    name: "offline-page",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const files = ["./", "icon.svg", ...Object.keys(bundle).filter((name) => name !== "index.html")];
        this.emitFile({ type: "asset", fileName: "sw.js", source: `const FILES = ${JSON.stringify(files)};\n${SERVICE_WORKER}` });
      },
    },
  };
}

const SERVICE_WORKER = `
const NAME = "finance-tracker-" + FILES.join().length + "-" + FILES.find((file) => file.includes("index-"));
addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)).then(() => skipWaiting()));
});
addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
    await clients.claim();
  })());
});
addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin || pathname.startsWith("/api/") || pathname.startsWith("/v1/")) return;
  const path = mode === "navigate" ? "./" : url;
  event.respondWith(caches.match(path).then((kept) => kept ?? fetch(event.request)));
});
`;

export default defineConfig({
  plugins: [react(), offlinePage()],
  resolve: { dedupe: SHARED },
  // Its WebAssembly and data are found beside its own modules.
  optimizeDeps: { exclude: ["@electric-sql/pglite", "@syncline/client"] },
  worker: { format: "es" },
  build: { target: "es2022", chunkSizeWarningLimit: 2_000 },
});
