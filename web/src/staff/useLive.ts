/** Rows of a feature: read again every few seconds, and at once when the journal brings a paper of its kind. */
import { watch } from 'vue'
import { usePolled, type Polled } from '../exchange/usePolled'
import { useDesk } from '../store/desk'

const EVERY_MS = 5000

/** What only papers change is read again this often all the same: a line of the journal may have been missed. */
export const SELDOM_MS = 60_000

/** `type`: how the types of its papers begin, `orbat.`; empty for all papers. `every_ms`: how often besides, for what time alone changes. */
export function useLive<T>(read: () => Promise<T>, type: string, every_ms = EVERY_MS): Polled<T> {
  const desk = useDesk()
  const polled = usePolled(read, every_ms)
  watch(desk.entries, (now, before) => {
    const known = new Set(before.slice(-50).map((entry) => entry.id))
    if (now.slice(-20).some((entry) => !known.has(entry.id) && entry.kind === 'paper' && entry.body?.type?.startsWith(type))) void polled.again()
  })
  return polled
}
