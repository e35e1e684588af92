/** A form of the node as fields of the page, and what was filled in as the node wants it. */
import type { Form, FormField } from '../../api.generated'
import { parsePlace } from '../../geo/place'

/** All fields of a form, with the heading that stands before each group. */
export function groupsOf(form: Form): { title: string; fields: FormField[] }[] {
  return form.sections.map(({ title, fields }) => ({ title, fields: [...fields] }))
}

const two = (value: number) => String(value).padStart(2, '0')

/** A time for an input of the browser; the page speaks Zulu everywhere. */
export function zuluInput(at_ms: number): string {
  const at = new Date(at_ms)
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}T${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
}

/** What stands in the fields at first: now for a time that is needed, else nothing. */
export function blankValues(form: Form, now_ms: number): Record<string, string> {
  return Object.fromEntries(form.sections.flatMap(({ fields }) => fields.map((field) => [field.name, field.kind === 'time' && field.required ? zuluInput(now_ms) : ''])))
}

/** Values as the fields show them; lines of a text become parts of one. */
export function textsOf(form: Form, values: Record<string, unknown>): Record<string, string> {
  const kinds = new Map(form.sections.flatMap(({ fields }) => fields.map((field) => [field.name, field.kind])))
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, kinds.get(name) === 'time' ? zuluInput(Number(value)) : String(value ?? '').replace(/\n/g, '; ')]),
  )
}

/** The values by name; what is empty is left out. `wrong`: a field whose place cannot be read. */
export function valuesOf(form: Form, texts: Record<string, string | number>): { values: Record<string, unknown>; wrong: string | null } {
  const values: Record<string, unknown> = {}
  for (const field of form.sections.flatMap(({ fields }) => fields)) {
    const text = String(texts[field.name] ?? '').trim()
    if (!text) continue
    if (field.kind === 'place') {
      const place = parsePlace(text)
      if (!place) return { values, wrong: text }
      values[field.name] = { lat_deg: place.lat_deg, lon_deg: place.lon_deg }
    } else if (field.kind === 'time') values[field.name] = Date.parse(`${text}Z`)
    else if (field.kind === 'count' || field.kind === 'number') values[field.name] = Number(text)
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
