/** How a collection in memory reads the cells of shapes, beside what Electric's client does by itself: as records have them in JSON. */
export const shapeParser = {
  // Whole numbers of documents go to 2^53, and types of generated clients say `number`.
  int8: (text: string): number => Number(text),
  // Postgres writes `2026-01-31 12:00:00+00`, where documents and writes have RFC 3339.
  timestamptz: (text: string): string => text.replace(" ", "T").replace(/\+00(:00)?$/, "Z"),
};
