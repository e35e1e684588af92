/** The synchronisation matrix: units by time, cells are tasks; where a cell lies, and how it moves. */
import type { MatrixCell, OrderPhase } from '../../api.generated'

export const STEP_MS = 15 * 60_000
const HOUR_MS = 3_600_000
/** A task without an end is shown so long. */
const OPEN_MS = HOUR_MS
const TICKS_MAX = 14
const TICK_MS = [HOUR_MS / 4, HOUR_MS / 2, HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS]

export interface Span {
  start_ms: number
  end_ms: number
}
export interface Row {
  unit: string
  name: string
  /** Cells in lanes, so that none lies on another. */
  lanes: MatrixCell[][]
}

/** When a cell is; null for one that comes on order. */
export function spanOf({ start_ms, end_ms }: Pick<MatrixCell, 'start_ms' | 'end_ms'>): Span | null {
  if (start_ms === null && end_ms === null) return null
  const start = start_ms ?? end_ms! - OPEN_MS
  return { start_ms: start, end_ms: Math.max(end_ms ?? start + OPEN_MS, start + STEP_MS) }
}

/** Longer than this nothing can be told apart: then it goes from a day before now on, and what lies elsewhere is counted. */
const FRAME_MAX_MS = 14 * 24 * HOUR_MS

/** From when to when the matrix goes: all of it, and now; at most two weeks. */
export function windowOf(cells: readonly MatrixCell[], now_ms: number): Span {
  const spans = cells.flatMap((cell) => [spanOf(cell), spanOf({ start_ms: cell.proposed_start_ms, end_ms: cell.proposed_end_ms })].flatMap((one) => one ?? []))
  const whole = around(spans, now_ms)
  if (whole.end_ms - whole.start_ms <= FRAME_MAX_MS) return whole
  const near = { start_ms: now_ms - 24 * HOUR_MS, end_ms: now_ms - 24 * HOUR_MS + FRAME_MAX_MS }
  const { start_ms, end_ms } = around(spans.filter((one) => isWithin(one, near)), now_ms)
  return { start_ms: Math.max(start_ms, near.start_ms), end_ms: Math.min(end_ms, near.end_ms) }
}

/** From the first to the last of them, now and the next two hours among them, on whole hours. */
function around(spans: readonly Span[], now_ms: number): Span {
  const first = Math.min(now_ms, ...spans.map((one) => one.start_ms))
  const last = Math.max(now_ms + 2 * HOUR_MS, ...spans.map((one) => one.end_ms))
  return { start_ms: Math.floor((first - HOUR_MS / 2) / HOUR_MS) * HOUR_MS, end_ms: Math.ceil((last + HOUR_MS / 2) / HOUR_MS) * HOUR_MS }
}

/** Does any of it lie within the frame? */
export function isWithin(span: Span, frame: Span): boolean {
  return span.end_ms > frame.start_ms && span.start_ms < frame.end_ms
}

export function ticksOf({ start_ms, end_ms }: Span): number[] {
  const every = TICK_MS.find((one) => (end_ms - start_ms) / one <= TICKS_MAX) ?? TICK_MS.at(-1)!
  const first = Math.ceil(start_ms / every) * every
  return Array.from({ length: Math.max(0, Math.floor((end_ms - first) / every) + 1) }, (_, n) => first + n * every)
}

/** Left edge and width in percent of the window. */
export function placeOf(span: Span, frame: Span): { left: string; width: string } {
  const whole = frame.end_ms - frame.start_ms
  return { left: `${((span.start_ms - frame.start_ms) / whole) * 100}%`, width: `${((span.end_ms - span.start_ms) / whole) * 100}%` }
}

/** A row for each unit that has a task, or would get one by a FRAGO. */
export function rowsOf(cells: readonly MatrixCell[]): Row[] {
  const rows = new Map<string, Row>()
  const rowOf = (unit: string, name: string): Row => {
    const row = rows.get(unit) ?? { unit, name, lanes: [] }
    rows.set(unit, row)
    return row
  }
  for (const cell of cells) {
    const row = rowOf(cell.unit, cell.unit_name)
    if (cell.proposed_unit) rowOf(cell.proposed_unit, cell.proposed_unit_name ?? cell.proposed_unit)
    const span = spanOf(cell)
    const lane = row.lanes.find((one) => one.every((other) => apart(span, spanOf(other))))
    if (lane) lane.push(cell)
    else row.lanes.push([cell])
  }
  return [...rows.values()]
}
const apart = (a: Span | null, b: Span | null) => a !== null && b !== null && (a.end_ms <= b.start_ms || b.end_ms <= a.start_ms)

/** The span moved by so much, or only its end; in steps of a quarter of an hour, never shorter than one. */
export function moved(span: Span, by_ms: number, end_only: boolean): Span {
  const by = Math.round(by_ms / STEP_MS) * STEP_MS
  if (!end_only) return { start_ms: span.start_ms + by, end_ms: span.end_ms + by }
  return { start_ms: span.start_ms, end_ms: Math.max(span.start_ms + STEP_MS, span.end_ms + by) }
}

/** The row above or below; the same at either end. */
export function rowBeside(rows: readonly Row[], unit: string, by: -1 | 1): string {
  const at = rows.findIndex((row) => row.unit === unit)
  return rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.unit ?? unit
}

/** What a FRAGO has to say so that the task is where the cell was moved to. */
export function changesOf(cell: MatrixCell, to: Span, unit: string = cell.unit): { path: string; new: number | string }[] {
  const said = [
    ['start_ms', cell.start_ms, to.start_ms],
    ['end_ms', cell.end_ms, to.end_ms],
  ] as const
  // The end first: a start beyond the old end would be refused.
  const path = (name: string) => `tasks.${cell.order_task}.${name}`
  const times = said.filter(([, was, now]) => was !== now).map(([name, , now]) => ({ path: path(name), new: now }))
  if (cell.end_ms !== null && to.start_ms >= cell.end_ms) times.reverse()
  return unit === cell.unit ? times : [...times, { path: path('unit'), new: unit }]
}

/** Phases that have both times, as bands. */
export function bandsOf(phases: readonly OrderPhase[]): (OrderPhase & Span)[] {
  return phases.filter((one): one is OrderPhase & Span => typeof one.start_ms === 'number' && typeof one.end_ms === 'number')
}

/** A verdict with a sign, so that it is told without colour. */
export const SIGN: Record<string, string> = { on_time: '✓', late: '!', violated: '✗', open: '' }
