/** Orders as the editor has them: the five paragraphs as a table, the draft on this machine, times in Zulu. */
import type { Order, OrderAnswer, OrderGraphic, OrderRow, OrderTask } from '../../api.generated'
import type { DrawingRequest } from '../../draw/drawings'
import { whole } from './whole'

export { LISTS, PARAGRAPHS, whole, type Paragraph } from './whole'

/** Fields of the heading that are lines. */
export const HEADING = ['title', 'number', 'issuing_hq', 'place', 'code_name', 'time_zone'] as const
/** Short answers; all other fields are texts. */
export const LINES: ReadonlySet<string> = new Set(['who', 'when', 'where'])
export const WARNING = ['preparation', 'rehearsals', 'order_place', 'special'] as const
export const WARNING_TIMES = ['earliest_move_ms', 'order_at_ms'] as const
export const RELATIONS = ['ORGANIC', 'OPCOM', 'OPCON', 'TACOM', 'TACON', 'ADCON', 'SUPPORT', 'LIAISON'] as const
export const WATCHES = ['reach', 'stay_out', 'observe', 'report', 'keep_within'] as const
/** Verbs that are asked for most; the node has the whole list and refuses what is not in it with a sentence. */
export const VERBS = [
  'MOVE', 'OCCUPY', 'PATROL', 'OBSRV', 'RECCE', 'SURVEL', 'SERCH', 'ESCRT', 'GUARD', 'SECURE', 'HoldInPlace', 'WITHDR', 'MEDEVC', 'EVACT', 'RESCUE', 'SAR', 'RESUPL', 'REPAIR', 'CLROBS', 'SETUP', 'VERIFY', 'LOCATE', 'WITNES', 'ReportPosition', 'PLAN', 'PREPR', 'TRAIN', 'REST', 'ASSMBL', 'TRANS', 'REFUEL', 'RECOVR', 'PRVSCY', 'PRVHLT', 'PRVSHL', 'PRVTRS', 'PRVINF', 'CONSTR', 'MAP', 'COOPER', 'COMREL', 'REORG', 'Observe', 'MoveToLocation', 'OrientToLocation',
] as const
const AREAS: ReadonlySet<string> = new Set(['polygon', 'circle'])

export function blankOrder(kind: Order['kind']): Order {
  return whole({ kind, title: '' } as Order)
}

/** Only what says something goes to the node: no empty fields, no empty lines of a list. */
export function bare<T>(value: T): T {
  if (Array.isArray(value)) return value.map((each: unknown) => (typeof each === 'string' ? each.trim() : bare(each))).filter((each) => each !== '') as T
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value).map(([name, each]) => [name, bare(each as unknown)] as const)
  return Object.fromEntries(kept.filter(([, each]) => !saysNothing(each))) as T
}

function saysNothing(value: unknown): boolean {
  return value === '' || value === null || value === undefined || (Array.isArray(value) && !value.length)
}

/** Fields in which two versions differ, as an edit sends them: null empties one. */
export function changed(before: Order, after: Order): Record<string, unknown> {
  const [was, now] = [bare(before), bare(after)] as unknown as Record<string, unknown>[]
  const names = new Set([...Object.keys(was), ...Object.keys(now)])
  return Object.fromEntries([...names].filter((name) => JSON.stringify(was[name]) !== JSON.stringify(now[name])).map((name) => [name, now[name] ?? null]))
}

/** The next id of a row that is not in use: T1, T2 … */
export function nextId(letter: string, rows: readonly { id: string }[]): string {
  const used = new Set(rows.map(({ id }) => id))
  for (let n = 1; ; n++) if (!used.has(`${letter}${n}`)) return `${letter}${n}`
}

export function newTask(order: Order): OrderTask {
  return { ...({ unit: '', verb: 'OBSRV', text: '', purpose: '', priority: 5, phase: null, start_ms: null, end_ms: null, area: null, place: null, success: '', watch: [] } as Omit<OrderTask, 'id'>), id: nextId('T', order.tasks) }
}

/** A drawing as it is now, to be bound to this version of the order; null for a shape that no order carries. */
export function graphicOfDrawing(request: DrawingRequest, id: string): OrderGraphic | null {
  const { shape: drawn } = request
  const shape = drawn === 'bearing' ? 'line' : drawn === 'text' ? 'point' : drawn === 'bullseye' ? 'circle' : drawn === 'corridor' ? 'polygon' : drawn
  return { id, name: request.name, shape, points: request.points.map(([lat, lon]): [number, number] => [lat, lon]), radius_m: request.radius_m ?? null, sidc: request.sidc ?? null, stroke: request.stroke ?? null, drawing: request.uid ?? null }
}
export const areasOf = (order: Order) => order.graphics.filter(({ shape }) => AREAS.has(shape))

const GROUPS = ['draft', 'approved', 'issued', 'ended'] as const
export type Group = (typeof GROUPS)[number]
/** Orders by state; a FRAGO stands behind the order that it changes, and the newest first. */
export function groupsOf(rows: readonly OrderRow[]): Map<Group, OrderRow[]> {
  const groups = new Map<Group, OrderRow[]>(GROUPS.map((name) => [name, []]))
  for (const row of [...rows].sort((a, b) => b.changed_at_ms - a.changed_at_ms)) {
    const name = (GROUPS as readonly string[]).includes(row.state) ? (row.state as Group) : 'ended'
    groups.get(name)!.push(row)
  }
  return groups
}

/** How an answer is shown: with a sign, never by colour alone. */
export function toneOf({ state, escalated_at_ms, reminded_at_ms }: Pick<OrderAnswer, 'state' | 'escalated_at_ms' | 'reminded_at_ms'>): { sign: string; tone: string } {
  if (state === 'wilco') return { sign: '✓✓', tone: 'ok' }
  if (state === 'acknowledged') return { sign: '✓', tone: 'ok' }
  if (state === 'cannot_comply') return { sign: '✗', tone: 'bad' }
  if (escalated_at_ms !== null || reminded_at_ms !== null) return { sign: '!', tone: 'warn' }
  return { sign: state === 'read' ? '◐' : state === 'delivered' ? '○' : '…', tone: '' }
}
export const ANSWERED: ReadonlySet<string> = new Set(['acknowledged', 'wilco', 'cannot_comply'])

/** What is being written is kept on this machine at every key: it survives a reload and a crash. */
const KEPT = 'aquila.draft.order.'
export interface Kept {
  order: Order
  heads: string[]
}
export function kept(key: string): Kept | null {
  const text = localStorage.getItem(KEPT + key)
  if (!text) return null
  try {
    const found = JSON.parse(text) as Kept
    return { order: whole(found.order), heads: found.heads }
  } catch (error) {
    // Another version's draft: nothing can be made of it.
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
}
export function keep(key: string, draft: Kept | null): void {
  if (draft) localStorage.setItem(KEPT + key, JSON.stringify({ order: bare(draft.order), heads: draft.heads }))
  else localStorage.removeItem(KEPT + key)
}
