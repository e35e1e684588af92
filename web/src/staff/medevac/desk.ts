/** The MEDEVAC desk as the board shows it; states, clocks and the script come from the node. */
import type { AssetRow, FacilityRow, RequestRow } from '../../api.generated'
import { parsePlace } from '../../geo/place'
import type { MedevacAsk } from '../node'
import { choiceOf, type Blank } from '../steps/blanks'

export const COLUMNS = ['requested', 'approved', 'launched', 'picked_up', 'delivered', 'closed'] as const
const OVER_MAX = 10

/** By state; what is due first stands on top. Cancelled ones stand among the closed. */
export function columnsOf(rows: readonly RequestRow[]): Map<string, RequestRow[]> {
  const columns = new Map<string, RequestRow[]>(COLUMNS.map((name) => [name, []]))
  for (const row of rows) columns.get(row.state === 'cancelled' ? 'closed' : row.state)?.push(row)
  for (const [name, list] of columns) {
    if (name === 'closed') columns.set(name, list.slice(0, OVER_MAX))
    else list.sort((a, b) => (a.next_due_ms ?? Infinity) - (b.next_due_ms ?? Infinity))
  }
  return columns
}

export interface Clock {
  mark: string
  due_ms: number
  done_at_ms: number | null
  is_late: boolean
  is_from_request: boolean
}

/** One clock for each mark: the worst of all casualties, still running ones before those that are done. */
export function clocksOf(row: RequestRow): Clock[] {
  const worst = new Map<string, Clock>()
  for (const { clocks } of row.casualties) {
    for (const one of clocks) {
      const known = worst.get(one.mark)
      const runs = one.done_at_ms === null
      if (!known || (runs && known.done_at_ms !== null) || (runs === (known.done_at_ms === null) && one.due_ms < known.due_ms)) worst.set(one.mark, one)
    }
  }
  return [...worst.values()]
}

/** Marks that somebody sets by hand; the others are steps. */
const BY_HAND = ['injury', 'first_aid', 'surgery']

/** What a step asks for; [] = nothing, null = it cannot be taken from the board now. */
export function blanksOf(action: string, row: RequestRow, assets: readonly AssetRow[], facilities: readonly FacilityRow[]): Blank[] | null {
  switch (action) {
    case 'approve':
      return choiceOf('asset', assets.filter(({ asset }) => (asset.status ?? 'available') === 'available').map(({ id }) => id))
    case 'deliver':
      return choiceOf('facility', facilities.filter(({ facility }) => facility.is_open ?? true).map(({ id }) => id))
    case 'mark':
      return [
        { name: 'mark', kind: 'choice', choices: BY_HAND },
        { name: 'number', kind: 'choice', choices: ['', ...row.casualties.map(({ number }) => String(number))] },
      ]
    case 'cancel':
      return [{ name: 'reason', kind: 'line', needed: true }]
    case 'launch':
    case 'pickup':
    case 'close':
      return []
    default:
      return null
  }
}

const COUNTS = ['urgent', 'urgent_surgical', 'priority', 'routine', 'litter', 'ambulatory'] as const
export const ASK: readonly Blank[] = [
  { name: 'title', kind: 'line', needed: true },
  { name: 'place', kind: 'line' },
  { name: 'freq', kind: 'line' },
  ...COUNTS.map((name): Blank => ({ name, kind: 'count' })),
  { name: 'medline_remarks', kind: 'line' },
]
export const ASSET: readonly Blank[] = [
  { name: 'name', kind: 'line', needed: true },
  { name: 'kind', kind: 'choice', choices: ['rotary', 'ground', 'fixed', 'water'] },
]
export const FACILITY: readonly Blank[] = [
  { name: 'name', kind: 'line', needed: true },
  { name: 'role', kind: 'choice', choices: ['1', '2', '3', '4'] },
  { name: 'beds', kind: 'count' },
  { name: 'beds_free', kind: 'count' },
]

/** The request that a filled form makes; null when its place cannot be read. */
export function requestOf(fields: Record<string, string>): MedevacAsk | null {
  const { title, place, ...lines } = fields
  const read = place ? parsePlace(place) : null
  if (place && !read) return null
  return { title, lines, ...(read ? { place: { lat_deg: read.lat_deg, lon_deg: read.lon_deg, ce_m: null } } : {}) }
}
