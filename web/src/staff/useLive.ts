/** Rows of a feature: read again every few seconds, and at once when the journal brings a paper or an act of its kind. */
import { onScopeDispose, watch } from 'vue'
import type { Entry } from '../api/types'
import { usePolled, type Polled } from '../exchange/usePolled'
import { useDesk } from '../store/desk'

const EVERY_MS = 5000

/** What only papers change is read again this often all the same: a line of the journal may have been missed. */
export const SELDOM_MS = 60_000

/** Among so many lines what is new is looked for: a busy second may bring dozens. */
const LATELY = 100

/** Calls when the journal brings an entry that fits, once for all that come together. */
export function useArrival(fits: (entry: Entry) => boolean, then: () => void): void {
  const desk = useDesk()
  watch(desk.entries, (now, before) => {
    const known = new Set(before.slice(-LATELY).map((entry) => entry.id))
    if (now.slice(-LATELY).some((entry) => !known.has(entry.id) && fits(entry))) then()
  })
}

/** While the past runs by, it is asked for so often, and at its end. */
const PAST_EVERY_MS = 1000

/** Calls when another moment is shown: at once where looking back begins or ends, else once a second. */
export function useMoments(then: () => void): void {
  const desk = useDesk()
  let asked_ms = 0
  let rest: ReturnType<typeof setTimeout> | undefined
  watch(desk.past, (now, before) => {
    clearTimeout(rest)
    const wait_ms = now && before ? Math.max(0, asked_ms + PAST_EVERY_MS - performance.now()) : 0
    rest = setTimeout(() => {
      asked_ms = performance.now()
      then()
    }, wait_ms)
  })
  onScopeDispose(() => clearTimeout(rest))
}

/** `type`: how the types of its papers begin, `orbat.`; empty for all papers. `every_ms`: how often besides, for what time alone changes. */
export function useLive<T>(read: () => Promise<T>, type: string, every_ms = EVERY_MS): Polled<T> {
  const polled = usePolled(read, every_ms)
  useArrival((entry) => entry.kind === 'paper' && Boolean(entry.body?.type?.startsWith(type)), () => void polled.again())
  return polled
}

/** Rows that acts change. `deeds`: how their actions begin, `mission.`. `ends`: the one after which there is nothing left to read. */
export function useDeeds<T>(read: () => Promise<T>, deeds: readonly string[], { every_ms, ends }: { every_ms?: number; ends?: string } = {}): Polled<T> {
  const polled = usePolled(read, every_ms)
  const fits = (action: string) => action !== ends && deeds.some((deed) => action.startsWith(deed))
  useArrival((entry) => entry.kind === 'act' && fits(entry.body?.action ?? ''), () => void polled.again())
  return polled
}
