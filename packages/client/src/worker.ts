import { PGlite } from "@electric-sql/pglite";
import { worker } from "@electric-sql/pglite/worker";

/**
 * Runs in a worker of each tab. Of all of them one opens the database; the others wait for their turn, which
 * comes when its tab closes.
 */
export function shareDatabase(): Promise<void> {
  return worker({
    init: async ({ dataDir }) => {
      const pglite = await PGlite.create(dataDir as string).catch((error: unknown) => {
        // Its page would wait for ever. Another tab's worker comes next.
        postMessage({ type: "failed", message: String((error as Error | undefined)?.message ?? error) });
        close();
        throw error;
      });
      // A tab's statement is several messages, each of which would be kept before the next. The tab itself
      // asks for it when a statement or transaction has ended.
      const execute = pglite.execProtocolRaw.bind(pglite);
      pglite.execProtocolRaw = (message) => execute(message, { syncToFs: false });
      return pglite;
    },
  });
}
