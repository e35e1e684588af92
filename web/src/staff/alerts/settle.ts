/** What one press does about alerts, wherever on the page it is pressed: many together, or those of who is selected. */
import type { AlertRow } from '../../api.generated'
import type { Shell } from '../../shell/shell'
import { alarmsOf } from '../../store/attention'
import type { Desk } from '../../store/desk'
import { staff } from '../node'
import { alertsOf } from './live'
import { ordered } from './watch'

export type Settling = 'acknowledge' | 'close'

/** The node takes so many in one act; the next press takes the rest. */
export const SETTLED_MAX = 500

/** Acknowledges or closes these in one act; says of how many the node let stand. Answers whether it was done. */
export async function settleAll(desk: Desk, ids: readonly string[], action: Settling): Promise<boolean> {
  let left = 0
  const done = await desk.attempt(async () => {
    left = (await staff.settleAlerts(ids.slice(0, SETTLED_MAX), action)).left.length
  })
  alertsOf(desk).asked.value++
  if (left) desk.notify({ tone: 'bad', key: 'staffAlerts.leftAlone', words: { n: String(left) } })
  return done
}

/** Open alerts about an entity, or about what calls for help beside it, in the order of who must act first. */
export function alertsAbout(desk: Desk, id: string): AlertRow[] {
  const told = alarmsOf(desk.tracks).find(({ ids }) => ids.includes(id))?.ids ?? [id]
  return ordered(alertsOf(desk).alerts.value.filter(({ entity }) => told.includes(entity)))
}

/**
 * Which of several one press settles. One that was acknowledged is closed before one that nobody has seen: after an
 * acknowledgement its order puts it behind those.
 */
export function nextToSettle(rows: readonly AlertRow[], action: Settling): AlertRow | undefined {
  const can = rows.filter(({ actions }) => actions.includes(action))
  return (action === 'close' ? can.find(({ state }) => state === 'acknowledged') : undefined) ?? can[0]
}

/** By key, away from the list: the alert of who is selected, one with each press. What cannot be is said, with the way to it. */
export async function settleSelected({ desk }: Shell, action: Settling): Promise<void> {
  const rows = desk.selected.value ? alertsAbout(desk, desk.selected.value) : []
  const row = nextToSettle(rows, action)
  if (!row) return desk.notify({ tone: 'ok', key: rows.length ? 'staffAlerts.keyDone' : 'staffAlerts.keyNone' })
  if (await desk.attempt(() => staff.settleAlert(row.id, action, row.heads))) desk.notify({ tone: 'ok', key: `staffAlerts.keySettled.${action}`, words: { text: row.text } })
  alertsOf(desk).asked.value++
}
