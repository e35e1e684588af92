/** Phases of the orders in force, for the time strip. */
import type { InForceRow, OrderRow } from '../api.generated'
import { staff } from '../staff/node'

export interface Phase {
  key: string
  name: string
  /** The order that says so. */
  order: string
  from_ms: number
  until_ms: number
}

/** More orders than a staff has in force at once. */
const ORDERS_MAX = 20

/** Phases with a beginning, by beginning; one without an end lasts until the next of its order, or is open. */
export function phasesOf(orders: readonly InForceRow[]): Phase[] {
  const found = orders.flatMap(({ id, order, is_in_force }) => {
    const begun = is_in_force ? order.phases.filter((phase) => phase.start_ms !== null).sort((a, b) => a.start_ms! - b.start_ms!) : []
    return begun.map((phase, at): Phase => ({
      key: `${id} ${phase.id}`,
      name: phase.name,
      order: [order.number, order.title].filter(Boolean).join(' '),
      from_ms: phase.start_ms!,
      until_ms: phase.end_ms ?? begun[at + 1]?.start_ms ?? Infinity,
    }))
  })
  return found.sort((a, b) => a.from_ms - b.from_ms)
}

/** Where the name of a phase stands: in its bar, before it where the bar is too short for it, or nowhere. */
export type NamePlace = 'in' | 'before' | null

/**
 * Each with the place of its name, which is written whole or not at all.
 *
 * @param bars by their left edge, in pixels of the strip
 * @param room_px what a name needs, with the gaps beside it
 */
export function namesPlaced<T extends { name: string; left: number; wide: number }>(bars: readonly T[], room_px: (name: string) => number): (T & { place: NamePlace })[] {
  let free_px = 0
  return bars.map((bar) => {
    const need_px = room_px(bar.name)
    const place: NamePlace = need_px <= bar.wide ? 'in' : need_px <= bar.left - free_px ? 'before' : null
    free_px = Math.max(free_px, bar.left + bar.wide)
    return { ...bar, place }
  })
}

/** Reads the phases; an order that did not change is not read again. */
export function phaseReader(): () => Promise<Phase[]> {
  let heads = ''
  let known: Phase[] = []
  return async () => {
    // Fragmentary orders change the phases of their base: any new step anywhere means a new reading.
    const orders: OrderRow[] = await staff.orders()
    const now = orders.map((row) => `${row.id} ${row.heads.join(' ')}`).join('\n')
    if (now === heads) return known
    const issued = orders.filter((row) => row.state === 'issued' && row.order_ref === null).slice(-ORDERS_MAX)
    known = phasesOf(await Promise.all(issued.map((row) => staff.inForce(row.id))))
    heads = now
    return known
  }
}
