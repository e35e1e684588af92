/** The workflow of a line as the board shows it; which step may be taken now, the node says with each row. */
import type { IncidentRow } from '../../api.generated'
import { choiceOf, type Blank } from '../steps/blanks'

export const COLUMNS = ['received', 'triage', 'decision', 'action', 'closed'] as const
export type Column = (typeof COLUMNS)[number]

/** Closed lines shown; older ones stay in the node. */
const CLOSED_MAX = 20
const ORDER: Record<string, number> = { Z: 0, O: 1, P: 2, R: 3 }

/** Rows by state: what is urgent first, then what waits longest; of the closed ones the newest. */
export function columnsOf(rows: readonly IncidentRow[]): Map<Column, IncidentRow[]> {
  const columns = new Map<Column, IncidentRow[]>(COLUMNS.map((name) => [name, []]))
  for (const row of rows) columns.get(row.state as Column)?.push(row)
  for (const [name, list] of columns) {
    if (name === 'closed') columns.set(name, list.sort((a, b) => b.happened_at_ms - a.happened_at_ms).slice(0, CLOSED_MAX))
    else list.sort((a, b) => (ORDER[a.precedence] ?? 3) - (ORDER[b.precedence] ?? 3) || a.happened_at_ms - b.happened_at_ms)
  }
  return columns
}

const LADDER = ['watch_officer', 'duty_officer', 'chief_of_operations', 'commander']

/** What a step asks for; null for a step that the board does not offer. */
export function blanksOf(action: string, row: IncidentRow): Blank[] | null {
  const waiting = row.tellings.filter((one) => one.ack_at_ms === null).map((one) => one.role)
  const asked = new Set(row.tellings.map((one) => one.role))
  switch (action) {
    case 'triage':
      return [{ name: 'precedence', kind: 'choice', choices: ['', 'Z', 'O', 'P', 'R'] }, { name: 'cell', kind: 'line' }]
    case 'decide':
      return [{ name: 'decision', kind: 'text', needed: true }]
    case 'act':
      return [{ name: 'who', kind: 'line', needed: true }, { name: 'what', kind: 'line', needed: true }]
    case 'done':
      return choiceOf('deed', row.deeds.filter((deed) => deed.done_at_ms === null).map((deed) => deed.id))
    case 'tell':
      return choiceOf('role', LADDER.filter((role) => !asked.has(role)))
    case 'told':
      return choiceOf('role', row.tellings.filter((one) => one.told_at_ms === null && one.ack_at_ms === null).map((one) => one.role))
    case 'ack':
      return choiceOf('role', waiting)
    case 'amend':
      return [{ name: 'text', kind: 'text' }, { name: 'reason', kind: 'line', needed: true }]
    case 'close':
      return [{ name: 'outcome', kind: 'text' }]
    case 'reopen':
      return [{ name: 'reason', kind: 'line', needed: true }]
    default:
      return null
  }
}
