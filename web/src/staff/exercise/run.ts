/** How the exercise runs, asked once for the page: the banner of everybody and the board of exercise control read it. */
import { call } from '../../api/client'
import type { InjectRow, RunRow } from '../../api.generated'
import type { Polled } from '../../exchange/usePolled'
import { SELDOM_MS, useLive } from '../useLive'
import { perDesk } from '../../store/perDesk'

export const PACES = [0.5, 1, 2, 5, 10, 20]
export const MEANS: readonly InjectRow['means'][] = ['radio', 'phone', 'chat', 'mail', 'map', 'paper', 'actor']
/** Of these the node itself writes the words for the players. */
export const WRITTEN: ReadonlySet<string> = new Set(['chat', 'mail', 'paper'])

/** The first who asks is the banner, which stays as long as the page. */
export const runOf = perDesk((): Polled<RunRow> => useLive(() => call<RunRow>('GET', '/exercise'), 'exercise.run', SELDOM_MS))

/** What is to come first, in its order, what stands on the director's word after it; what is done last, the newest first. */
export function sorted(rows: readonly InjectRow[]): InjectRow[] {
  const open = rows.filter((row) => row.done_at_ms === null)
  const done = rows.filter((row) => row.done_at_ms !== null)
  return [
    ...open.sort((a, b) => (a.due_ms ?? Infinity) - (b.due_ms ?? Infinity) || a.title.localeCompare(b.title)),
    ...done.sort((a, b) => (b.done_at_ms ?? 0) - (a.done_at_ms ?? 0)),
  ]
}
