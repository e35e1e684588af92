/** A form of the node as fields of the page, and what was filled in as the node wants it. */
import type { Form, FormField } from '../../api.generated'
import { parsePlace } from '../../geo/place'

/** All fields of a form, with the heading that stands before each group. */
export function groupsOf(form: Form): { title: string; fields: FormField[] }[] {
  return form.sections.map(({ title, fields }) => ({ title, fields: [...fields] }))
}

const fieldsOf = (form: Form) => form.sections.flatMap(({ fields }) => fields)

/** What the fields for texts show at first: what is known; lines of a text become parts of one. */
export function textsOf(form: Form, known: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(fieldsOf(form).filter(({ kind }) => kind !== 'time').map(({ name }) => [name, String(known[name] ?? '').replace(/\n/g, '; ')]))
}

/** What the fields for times hold at first, in UTC milliseconds: what is known, now for a time that is needed, else null. */
export function timesOf(form: Form, known: Record<string, unknown>, now_ms: number): Record<string, number | null> {
  const times = fieldsOf(form).filter(({ kind }) => kind === 'time')
  return Object.fromEntries(times.map(({ name, required }) => [name, typeof known[name] === 'number' ? known[name] : required ? now_ms : null]))
}

/** The values by name; what is empty is left out. `wrong`: a field whose place cannot be read. */
export function valuesOf(form: Form, texts: Record<string, string | number>, times: Record<string, number | null>): { values: Record<string, unknown>; wrong: string | null } {
  const values: Record<string, unknown> = {}
  for (const field of fieldsOf(form)) {
    if (field.kind === 'time') {
      if (times[field.name] !== null) values[field.name] = times[field.name]
      continue
    }
    const text = String(texts[field.name] ?? '').trim()
    if (!text) continue
    if (field.kind === 'place') {
      const place = parsePlace(text)
      if (!place) return { values, wrong: text }
      values[field.name] = { lat_deg: place.lat_deg, lon_deg: place.lon_deg }
    } else if (field.kind === 'count' || field.kind === 'number') values[field.name] = Number(text)
    else values[field.name] = text
  }
  return { values, wrong: null }
}

/** Forms that a level assembles from those below it. */
export const LEVELS = ['sitrep', 'logsitrep', 'intsum'] as const

/** So many hours until the end of this minute: what was said a moment ago is in it. */
export function spanOf(now_ms: number, hours: number): { from_ms: number; until_ms: number } {
  const until_ms = (Math.floor(now_ms / 60_000) + 1) * 60_000
  return { from_ms: until_ms - hours * 3_600_000, until_ms }
}

/** A value of a report as people read it; nothing said is a dash. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
