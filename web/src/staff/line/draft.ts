/**
 * What the node understood of a typed line, as chips, and what of it is taken over when it is confirmed.
 *
 * What is unsure is only taken when somebody chose a reading; what was not chosen stays plain text, and
 * so does what somebody left out although the node was sure of it.
 */
import type { LineDraft, LinePart } from '../../api.generated'
import { mgrs } from '../../geo/format'
import { dtgShort } from '../../time/dtg'
import type { NewLine } from '../node'
import { POSTS } from '../posts'

type Value = Record<string, unknown>
export interface Choice {
  label: string
  field: LinePart['field']
  value: Value
}
export interface Chip {
  /** The same while the line is edited elsewhere: what was chosen stays chosen. */
  key: string
  field: LinePart['field']
  label: string
  state: 'sure' | 'chosen' | 'unsure' | 'wrong' | 'left-out'
  /** Why it is unsure, or what is wrong and what is allowed. */
  why: string
  /** Readings to choose from; empty when there is nothing to choose. */
  choices: Choice[]
  /** It would be taken over, or was left out: one key or tap changes which. */
  optional: boolean
}
/** Key of a chip -> the label of the reading that was chosen; null = left out. */
export type Chosen = ReadonlyMap<string, string | null>
/** What the journal takes over of a line beside its words; the others are only shown. */
const TAKEN_OVER: ReadonlySet<LinePart['field']> = new Set(['unit', 'kind', 'place', 'time', 'precedence', 'to'])

/** `+02:00` for a browser that says -120. */
export function offsetText(minutes_behind_utc: number): string {
  const ahead = -minutes_behind_utc
  const two = (value: number) => String(value).padStart(2, '0')
  return `${ahead < 0 ? '-' : '+'}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`
}

const number = (value: unknown) => (typeof value === 'number' ? value : null)

function placeText(value: Value): string | null {
  const [lat_deg, lon_deg] = [number(value.lat_deg), number(value.lon_deg)]
  return lat_deg === null || lon_deg === null ? null : mgrs(lat_deg, lon_deg, 4)
}

const kindText = (value: Value) => String(value.kind).replaceAll('_', ' ').toUpperCase()

/** A value as people read it: in words where the words say more than the typed ones, else null. */
export function valueText(field: LinePart['field'], value: Value, now_ms: number): string | null {
  if (field === 'kind') return kindText(value)
  if (field === 'unit' || field === 'to') return value.name ? String(value.name) : null
  if (field === 'precedence') return String(value.precedence).toUpperCase()
  if (field === 'place') {
    const grid = placeText(value)
    if (value.sort === 'name' || value.sort === 'offset') return [value.name, grid].filter(Boolean).join(' · ')
    return grid
  }
  if (field === 'time') {
    const at_ms = number(value.at_ms) ?? number(value.from_ms)
    return at_ms === null ? null : dtgShort(at_ms, now_ms)
  }
  return null
}

function keyOf(part: LinePart, count: Map<string, number>): string {
  const name = `${part.field}:${part.text}`
  const n = count.get(name) ?? 0
  count.set(name, n + 1)
  return `${name}:${n}`
}

function choicesOf(part: LinePart, label: string): Choice[] {
  if (part.confidence === 'sure' || part.problem || !part.value) return []
  const labelOf = (one: LinePart['alternatives'][number]) => (part.field === 'kind' && !one.field && kindText(one.value)) || one.label
  const others = part.alternatives.map((one) => ({ label: labelOf(one), field: one.field ?? part.field, value: one.value }))
  return [{ label, field: part.field, value: part.value }, ...others]
}

/** The understood parts, in the order of the line; plain words get no chip. */
export function chipsOf(draft: LineDraft, chosen: Chosen, now_ms: number): Chip[] {
  const count = new Map<string, number>()
  return draft.parts.flatMap((part) => {
    const key = keyOf(part, count)
    // A line without any sign of a kind is a plain note: no question about it.
    const is_plain = part.field === 'kind' && part.start === part.end && part.value?.kind === 'note' && !part.alternatives.length
    if (part.field === 'remainder' || is_plain) return []
    const read = (part.value && valueText(part.field, part.value, now_ms)) || part.text
    const choices = choicesOf(part, read)
    const taken = choices.find((one) => one.label === chosen.get(key))
    const state = stateOf(part, taken, chosen.get(key) === null)
    const field = taken?.field ?? part.field
    const optional = TAKEN_OVER.has(field) && ['sure', 'chosen', 'left-out'].includes(state)
    return [{ key, field, label: taken?.label ?? read, state, why: part.problem ?? part.note ?? '', choices, optional }]
  })
}

function stateOf(part: LinePart, taken: Choice | undefined, left_out: boolean): Chip['state'] {
  if (part.problem) return 'wrong'
  if (left_out) return 'left-out'
  if (part.confidence === 'sure') return 'sure'
  return taken ? 'chosen' : 'unsure'
}

/** The reading behind the chosen one, in a ring; of a chip that waits the second, for the first one is shown already. */
export function nextChoice(chip: Chip): Choice {
  const at = chip.state === 'chosen' ? chip.choices.findIndex(({ label }) => label === chip.label) : 0
  return chip.choices[(at + 1) % chip.choices.length]
}

export interface Confirmed {
  text: string
  happened_at_ms?: number
  /** Set when the line says of what kind it is: then it is logged as a line that somebody works on. */
  line?: NewLine
}
/** Kinds that stay notes: nobody has to decide anything. */
const NOTES = new Set(['note', 'comms_check', 'weather'])
const PRECEDENCE = { flash: 'Z', immediate: 'O', priority: 'P', routine: 'R' } as const

/** Each part that is sure or chosen and was not left out, as it is taken over. */
function takenOf(draft: LineDraft, chosen: Chosen, now_ms: number): Choice[] {
  const count = new Map<string, number>()
  return draft.parts.flatMap((part): Choice[] => {
    const key = keyOf(part, count)
    if (part.field === 'remainder' || part.problem || !part.value || chosen.get(key) === null) return []
    const read = valueText(part.field, part.value, now_ms) || part.text
    if (part.confidence === 'sure') return [{ label: read, field: part.field, value: part.value }]
    const one = choicesOf(part, read).find(({ label }) => label === chosen.get(key))
    return one ? [one] : []
  })
}

/** Posts that the line says must be told, as the node names them. */
function toldIn(taken: Choice[]): string[] {
  const names = taken.filter(({ field }) => field === 'to').map(({ value }) => String(value.name).trim().toLowerCase().replaceAll(/[ -]+/g, '_'))
  return names.filter((post) => POSTS.has(post))
}

/** The line for the workflow; null when it is a note: it has no kind that somebody works on, and nobody must be told. */
function lineOf(text: string, taken: Choice[]): NewLine | null {
  const value = (field: Choice['field']) => taken.find((one) => one.field === field)?.value
  const kind = value('kind')?.kind
  const tell = toldIn(taken)
  const worked = typeof kind === 'string' && !NOTES.has(kind)
  if (!worked && !tell.length) return null
  const place = value('place')
  const [lat_deg, lon_deg] = [number(place?.lat_deg), number(place?.lon_deg)]
  const precedence = PRECEDENCE[value('precedence')?.precedence as keyof typeof PRECEDENCE]
  const sender = value('unit')?.name
  return {
    text,
    ...(worked ? { category: kind } : {}),
    ...(typeof sender === 'string' ? { sender } : {}),
    ...(precedence ? { precedence } : {}),
    ...(tell.length ? { tell } : {}),
    ...(lat_deg !== null && lon_deg !== null ? { place: { lat_deg, lon_deg, ce_m: null } } : {}),
  }
}

/**
 * The journal line: the words as typed, behind them the grid of a place that was named and not typed
 * as a whole grid, and the time at which it happened. A time that is still to come is no such time.
 */
export function confirmedOf(draft: LineDraft, chosen: Chosen, now_ms: number): Confirmed {
  const taken = takenOf(draft, chosen, now_ms)
  const time = taken.find(({ field, value }) => field === 'time' && !value.planned)?.value
  const at_ms = number(time?.at_ms) ?? number(time?.from_ms)
  const place = taken.find(({ field }) => field === 'place')?.value
  const whole = place?.sort === 'grid' && !place.digits
  const grid = place && !whole ? placeText(place) : null
  const typed = draft.line.trim()
  const text = grid ? `${typed} [${grid}]` : typed
  const confirmed: Confirmed = { text }
  if (at_ms !== null && at_ms <= now_ms) confirmed.happened_at_ms = at_ms
  const line = lineOf(text, taken)
  if (line) confirmed.line = line
  return confirmed
}
