export {
  discardWrite, exportWrites, OFFLINE, parsed, pendingChanges, readChanges, rejectedChanges, retryWrite, TIMED_OUT, WriteFailure,
  type Change, type WriteError,
} from "./changes.js";
export { columnType, fromColumns, quote, toColumn, type Dialect, type LocalDatabase, type Statements } from "./database.js";
export { asRfc3339, can, type EntityMeta, type FieldKind, type FieldMeta, type Json, type LocalSchema, type Role, type Row } from "./entity.js";
export { runFeed, type FeedOptions, type FeedState } from "./feed.js";
export { backoffMs, HttpFailure, request, type FailureKind, type HttpAnswer, type HttpOptions } from "./http.js";
export * from "./list.js";
export * from "./rows.js";
export {
  runSender, synclineTransport, TRANSACTIONS_MAX,
  type Outcome, type SenderState, type Transaction, type Transport,
} from "./sender.js";
export * from "./sync.js";
export * from "./writes.js";
