export {
  discardWrite, exportWrites, OFFLINE, parsed, pendingChanges, readChanges, rejectedChanges, retryWrite, TIMED_OUT, WriteFailure,
  type Change, type WriteError,
} from "./changes.js";
export { columnType, fromColumns, quote, toColumn, type Dialect, type LocalDatabase, type Statements } from "./database.js";
export { asRfc3339, can, type EntityMeta, type FieldKind, type FieldMeta, type Json, type LocalSchema, type Role, type Row } from "./entity.js";
export { runFeed, type FeedOptions, type FeedState } from "./feed.js";
export { backoffMs, HttpFailure, request, type FailureKind, type HttpAnswer, type HttpOptions } from "./http.js";
export * from "./list.js";
export { followRows, keyOf, readRow, readRows, TOUCHED_ROWS_MAX, whenTouched, type RowChanges } from "./rows.js";
export {
  runSender, synclineTransport, TRANSACTIONS_MAX,
  type Outcome, type SenderState, type Transaction, type Transport,
} from "./sender.js";
export { openLocal, startSync, type Sync, type SyncOptions, type SyncState } from "./sync.js";
export {
  CONFIRM_OFFLINE_TIMEOUT_MS, CONFIRM_TIMEOUT_MAX_MS, CONFIRM_TIMEOUT_MS, deleteRow, insertRow, lastWriteOf, setConfirmTimeout, settled,
  updateRow, writeOnce, writeSettled, writeTogether,
} from "./writes.js";
