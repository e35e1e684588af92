/** The entered order of battle as the panel draws it; the node says who stands under whom. */
import type { MoveUnit, Unit, UnitRow } from '../../api.generated'
import { fold } from '../../geo/fold'
import { sidcOfEchelon } from '../../symbols/echelon'

export type Relation = NonNullable<MoveUnit['relation']>
export const RELATIONS: readonly Relation[] = ['ORGANIC', 'OPCOM', 'OPCON', 'TACOM', 'TACON', 'ADCON', 'SUPPORT', 'LIAISON']
/** How much of it there is, in parts of a hundred of what is authorised; null where nothing is. */
export function fill(one: { authorised?: number; on_hand?: number }): number | null {
  return one.authorised ? Math.round(((one.on_hand ?? 0) / one.authorised) * 100) : null
}

/** Days that supplies last at this consumption; null when it is not known. */
export function daysLeft(one: { on_hand?: number; per_day?: number | null }): number | null {
  return one.per_day ? Math.round(((one.on_hand ?? 0) / one.per_day) * 10) / 10 : null
}

export const STATUSES = ['FULL', 'MOSTLY', 'PARTLY', 'NOT'] as const

const BLANK: Unit = {
  name: '', short: null, nation: null, sidc: null, echelon: null, branch: null, callsigns: [], parents: [], strength: null,
  equipment: [], supplies: [], readiness: null, caveats: [], trackers: [], remarks: '',
}

/** The node leaves out what has its default value; here everything stands there. */
export function wholeRow(row: UnitRow): UnitRow {
  const { unit } = row
  return {
    ...row,
    parent: row.parent && { ...row.parent, relation: row.parent.relation ?? 'ORGANIC' },
    unit: {
      ...BLANK,
      ...unit,
      strength: unit.strength ? { ...{ authorised: 0, assigned: 0, present: 0 }, ...unit.strength } : null,
      readiness: unit.readiness ? { ...{ status: 'FULL' as const, reason: '' }, ...unit.readiness } : null,
    },
  }
}

export interface Knot {
  key: string
  row: UnitRow
  children?: Knot[]
}

/** Rows come parents first, each with its depth. */
export function treeOf(rows: readonly UnitRow[]): Knot[] {
  const top: Knot[] = []
  const path: Knot[] = []
  for (const row of rows) {
    const knot: Knot = { key: row.id, row }
    path.length = Math.min(row.depth, path.length)
    const above = path.at(-1)
    if (above) (above.children ??= []).push(knot)
    else top.push(knot)
    path.push(knot)
  }
  return top
}

/** Units under which `id` may be put: neither itself nor what stands under it. */
export function possibleParents(rows: readonly UnitRow[], id: string): UnitRow[] {
  const at = rows.findIndex((row) => row.id === id)
  if (at < 0) return [...rows]
  const after = rows.findIndex((row, n) => n > at && row.depth <= rows[at].depth)
  return [...rows.slice(0, at), ...rows.slice(after < 0 ? rows.length : after)]
}

export function found(rows: readonly UnitRow[], query: string): UnitRow[] {
  const words = fold(query).split(/\s+/).filter(Boolean)
  return rows.filter(({ unit }) => {
    const text = fold(`${unit.name} ${unit.short ?? ''} ${unit.callsigns.join(' ')}`)
    return words.every((word) => text.includes(word))
  })
}

/** A symbol for a unit that has none of its own: friendly, land, of its echelon. */
export function symbolOf(unit: Unit): string {
  return unit.sidc || sidcOfEchelon(unit.echelon)
}

/** The first tracker of a unit that stands in the picture, by the identities that entities have; null for none. */
export function trackedBy(unit: Unit, entity_of: ReadonlyMap<string, string>): string | null {
  for (const tracker of unit.trackers) {
    const id = entity_of.get(tracker)
    if (id) return id
  }
  for (const callsign of [...unit.callsigns, unit.name]) {
    const id = entity_of.get(`name:${fold(callsign)}`)
    if (id) return id
  }
  return null
}

/** What stands in the form. Numbers are text until they are sent: an empty field is not a zero. */
export interface Form {
  name: string
  short: string
  nation: string
  echelon: string
  branch: string
  callsigns: string
  trackers: string
  authorised: string
  assigned: string
  present: string
  status: string
  reason: string
  notice: string
  sidc: string
  remarks: string
  equipment: HoldingText[]
  supplies: HoldingText[]
  caveats: CaveatText[]
}
/** One kind of equipment or supplies, as text until it is sent. */
export interface HoldingText {
  name: string
  authorised: string
  on_hand: string
  serviceable: string
  supply_class: string
  per_day: string
}
/** `verbs`: tasks that it forbids, with commas. `until_ms`: null = no end. */
export interface CaveatText {
  text: string
  verbs: string
  until_ms: number | null
}
export const blankHolding = (): HoldingText => ({ name: '', authorised: '', on_hand: '', serviceable: '', supply_class: '', per_day: '' })
export const blankCaveat = (): CaveatText => ({ text: '', verbs: '', until_ms: null })

const count = (value: number | null | undefined) => (value === undefined || value === null ? '' : String(value))
type Held = Unit['equipment'][number]
/** The node leaves out what is 0 or unknown. */
const holdingText = (one: Held): HoldingText => ({
  name: one.name, authorised: count(one.authorised ?? 0), on_hand: count(one.on_hand ?? 0), serviceable: count(one.serviceable), supply_class: one.supply_class ?? '', per_day: count(one.per_day),
})
/** A field of kind number holds a number once somebody has typed in it, and text until then. */
const number = (typed: string | number) => (String(typed).trim() ? Number(typed) : null)
const holdingsOf = (rows: readonly HoldingText[]) =>
  rows.filter((one) => one.name.trim()).map((one) => ({
    name: one.name.trim(), authorised: number(one.authorised) ?? 0, on_hand: number(one.on_hand) ?? 0, serviceable: number(one.serviceable), supply_class: one.supply_class.trim() || null, per_day: number(one.per_day),
  }))
const caveatsOf = (rows: readonly CaveatText[]) =>
  rows.filter((one) => one.text.trim()).map((one) => ({ text: one.text.trim(), verbs: words(one.verbs), until_ms: one.until_ms }))

export function formOf(unit: Unit | null): Form {
  return {
    name: unit?.name ?? '',
    short: unit?.short ?? '',
    nation: unit?.nation ?? '',
    echelon: unit?.echelon ?? '',
    branch: unit?.branch ?? '',
    callsigns: unit?.callsigns.join(', ') ?? '',
    trackers: unit?.trackers.join(', ') ?? '',
    authorised: count(unit?.strength?.authorised),
    assigned: count(unit?.strength?.assigned),
    present: count(unit?.strength?.present),
    status: unit?.readiness?.status ?? '',
    reason: unit?.readiness?.reason ?? '',
    notice: count(unit?.readiness?.notice_to_move_min),
    sidc: unit?.sidc ?? '',
    equipment: (unit?.equipment ?? []).map(holdingText),
    supplies: (unit?.supplies ?? []).map(holdingText),
    caveats: (unit?.caveats ?? []).map((one) => ({ text: one.text, verbs: (one.verbs ?? []).join(', '), until_ms: one.until_ms ?? null })),
    remarks: unit?.remarks ?? '',
  }
}

const words = (text: string) => text.split(',').map((word) => word.trim()).filter(Boolean)

/** The fields of a unit as the form has them; null = empty. Figures that are no numbers go as they are: the node says what is allowed. */
function fieldsOf(form: Form, before: Unit | null): Record<string, unknown> {
  const text = (value: string) => value.trim() || null
  const strengths = [form.authorised, form.assigned, form.present]
  const [authorised, assigned, present] = strengths.map((value) => Number(value || 0))
  return {
    name: form.name.trim(),
    short: text(form.short),
    nation: text(form.nation.toUpperCase()),
    echelon: text(form.echelon),
    branch: text(form.branch),
    callsigns: words(form.callsigns),
    trackers: words(form.trackers),
    strength: strengths.some(Boolean) ? { authorised, assigned, present } : null,
    readiness: form.status ? { ...before?.readiness, status: form.status, reason: form.reason.trim(), notice_to_move_min: number(form.notice) } : null,
    sidc: text(form.sidc),
    equipment: holdingsOf(form.equipment),
    supplies: holdingsOf(form.supplies),
    caveats: caveatsOf(form.caveats),
    remarks: form.remarks.trim(),
  }
}

/** What a new unit is sent with: only what was filled in. */
export function newUnit(form: Form, parent: string | null): Partial<Unit> {
  const filled = Object.entries(fieldsOf(form, null)).filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && !value.length))
  const parents = parent ? { parents: [{ unit: parent, relation: 'ORGANIC' }] } : {}
  return { ...Object.fromEntries(filled), ...parents } as Partial<Unit>
}

/** Only what was changed: what somebody else changed meanwhile is not written over. */
export function changesOf(form: Form, before: Unit): Record<string, unknown> {
  const was = fieldsOf(formOf(before), before)
  return Object.fromEntries(Object.entries(fieldsOf(form, before)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(was[name])))
}
