export * from "./changes.js";
export * from "./database.js";
export * from "./entity.js";
export { runFeed, type FeedOptions, type FeedState } from "./feed.js";
export * from "./http.js";
export * from "./list.js";
export * from "./rows.js";
export {
  restTransport, runSender, synclineTransport, TRANSACTIONS_MAX,
  type Outcome, type SenderState, type Transaction, type Transport,
} from "./sender.js";
export * from "./sync.js";
export * from "./writes.js";
