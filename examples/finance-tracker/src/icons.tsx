/** Line icons, 24 by 24. */
const PATHS = {
  overview: "M4 13h6V4H4v9Zm0 7h6v-4H4v4Zm10 0h6v-9h-6v9Zm0-16v4h6V4h-6Z",
  transactions: "M7 4v14m0 0-3-3m3 3 3-3M17 20V6m0 0-3 3m3-3 3 3",
  accounts: "M3 8.5 12 4l9 4.5M5 10v8m4.7-8v8m4.6-8v8M19 10v8M3 20h18",
  budgets: "M12 3a9 9 0 1 0 9 9h-9V3Zm4 .9A9 9 0 0 1 20.1 8H16V3.900Z",
  categories: "M4 4h7l9 9-7 7-9-9V4Zm4.5 4.500h.01",
  contacts: "M16 20v-1.500a4 4 0 0 0-4-4H7a4 4 0 0 0-4 4V20M9.5 10.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM21 20v-1.500a4 4 0 0 0-3-3.87M16 3.63a3.5 3.5 0 0 1 0 6.74",
  sync: "M20 11A8 8 0 0 0 5.7 6.600L4 8.300M4 4v4.300h4.300M4 13a8 8 0 0 0 14.3 4.400l1.7-1.700M20 20v-4.300h-4.3",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  lock: "M6 11h12v9H6v-9Zm2.5 0V7.500a3.5 3.5 0 0 1 7 0V11",
  device: "M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1Zm3 15h2",
  warning: "M12 4 2.8 20h18.400L12 4Zm0 6v4.500m0 2.500h.01",
  check: "M5 12.5 10 17.5 19.5 7",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4.5 4.5",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
  <svg className="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
